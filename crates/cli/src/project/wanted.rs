//! Whose signature on a document counts: the register is asked, and what it looks for is written down.

use std::{cell::RefCell, collections::BTreeSet};

use convenant_model::{
    Digest,
    keys::VerifyingKey,
    register::{Envelope, RegisterState},
};
use convenant_setup::signing_key;
use convenant_signing::{key_id, sha256};

use crate::{exit::usage, lang::Lang, output, sign::SignArgs};

/// A document of which the register is told that everybody signed it, or nobody.
struct Asked<'a> {
    typ: &'static str,
    payload: &'a [u8],
    signed: bool,
    keys: &'a RefCell<BTreeSet<VerifyingKey>>,
}

impl Envelope for Asked<'_> {
    fn typ(&self) -> &str {
        self.typ
    }

    fn payload(&self) -> &[u8] {
        self.payload
    }

    fn payload_hash(&self) -> Digest {
        sha256(self.payload)
    }

    fn signed_by(&self, key: &VerifyingKey) -> bool {
        self.keys.borrow_mut().insert(key.clone());
        self.signed
    }
}

/// An error where a signature with this key would add nothing to a document that nothing else is wrong with.
pub(super) fn counts(args: &SignArgs, state: &RegisterState, lang: Lang) -> anyhow::Result<()> {
    let (kind, payload) = args.payload()?;
    let keys = RefCell::default();
    // Signed by all, it shows every signature that it needs; by nobody, those that would do instead.
    for signed in [true, false] {
        let asked = Asked { typ: kind.media_type(), payload: &payload, signed, keys: &keys };
        let _tried = state.clone().admit(&asked);
    }
    let (wanted, own) = (keys.into_inner(), signing_key(args.key())?);
    if wanted.is_empty() || wanted.contains(own.verifying_key()) {
        return Ok(());
    }
    let (id, whose) = (own.id(), whose(&wanted, state).join(", "));
    Err(usage(match lang {
        Lang::Nl => format!("sleutel `{id}` hoeft dit niet te ondertekenen; gevraagd: {whose}"),
        Lang::En => format!("key `{id}` need not sign this; wanted: {whose}"),
    }))
}

fn whose(wanted: &BTreeSet<VerifyingKey>, state: &RegisterState) -> Vec<String> {
    let owner = |key: &VerifyingKey| {
        let mut enrolled = state.enrolments();
        if state.is_of_lsi(key) {
            return "LSI".to_owned();
        }
        enrolled.find(|one| one.signing_key == *key).map_or_else(
            || format!("`{}`", key_id(key)),
            |one| format!("{} ({})", output::shown(one.name.as_str()), one.partner),
        )
    };
    let names: BTreeSet<_> = wanted.iter().map(owner).collect();
    names.into_iter().collect()
}
