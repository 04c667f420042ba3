//! The covenant, and how organisations join, change their keys and leave.

use std::sync::Arc;

use super::{
    CovenantInForce, Envelope, RegisterState,
    breach::{Breach, Check},
    signed::{Admission, read},
};
use crate::{
    covenant::{Covenant, CovenantText, Dataset},
    documents::{
        Accession, Departure, Designation, DocumentKind, Enrolment, NodeEnrolment, Revocation,
    },
};

/// Kinds of enrolled organisations that the covenant does not list as partners.
const SERVANTS: [&str; 2] = ["coordinator", AUDITOR];

/// Kind of an organisation that may read every ledger.
pub(super) const AUDITOR: &str = "auditor";

impl RegisterState {
    /// A covenant is signed by the LSI's quorum; its versions count up by one.
    pub(super) fn admit_covenant(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Covenant);
        self.quorum(check.kind(), envelope)?;
        let covenant = read::<CovenantText>(&mut check, envelope)?.check("covenant")?;
        let (last_id, last) = self.covenant.as_ref().map_or((None, 0), |last| {
            (Some(&last.covenant.head().id), last.covenant.head().version)
        });
        let head = covenant.head();
        let same = last_id.is_none_or(|id| *id == head.id);
        check.that(same, "covenant.id", Breach::OtherCovenant);
        let next = last + 1;
        check.that_of(head.version == next, "covenant.version", Breach::Version, next);
        check.done()?;
        self.covenant =
            Some(CovenantInForce { covenant: Arc::new(covenant), hash: envelope.payload_hash() });
        Ok(())
    }

    /// An accession is signed with the key that it names (clause S2). That the key is the organisation's is
    /// for the LSI to find out before it vouches for an enrolment.
    pub(super) fn admit_accession(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Accession);
        let accession: Accession = read(&mut check, envelope)?;
        self.signed_with(check.kind(), envelope, &accession.partner, &accession.signing_key)?;
        let covenant = self.covenant_for(check.kind())?;
        let same = covenant.head().id == accession.covenant;
        check.that(same, "covenant", Breach::OtherCovenant);
        check.that(covenant.is_open_to(accession.kind.as_str()), "kind", Breach::NotOpen);
        check.done()?;
        self.accessions.entry(accession.partner).or_default().insert(accession.signing_key);
        Ok(())
    }

    /// An enrolment is vouched for by the LSI's quorum and signed by the organisation itself. A later
    /// one replaces an earlier one.
    pub(super) fn admit_enrolment(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Enrolment);
        self.quorum(check.kind(), envelope)?;
        let enrolment: Enrolment = read(&mut check, envelope)?;
        let oin = &enrolment.partner;
        self.signed_with(check.kind(), envelope, oin, &enrolment.signing_key)?;
        let covenant = self.covenant_for(check.kind())?;
        let kind = enrolment.kind.as_str();
        let listed = SERVANTS.contains(&kind) || covenant.lists(oin, kind);
        check.that_of(listed, "kind", Breach::Unlisted, kind);
        self.check_accession(&mut check, &covenant, &enrolment);
        let (first, last) = (enrolment.valid_from, enrolment.valid_until);
        check.that(first <= last, "valid_until", Breach::EndsBeforeStart);
        let before = self.enrolments.get(oin);
        let newer = before.is_none_or(|before| before.valid_from <= first);
        // One that was signed before the organisation left, and kept back, does not undo that.
        let back = self.departed.get(oin).is_none_or(|left| left.date() <= first);
        check.that(newer && back, "valid_from", Breach::Superseded);
        check.that(!enrolment.tls_pins.is_empty(), "tls_pins", Breach::Empty);
        let sound = self.revoked_from(oin, &enrolment.ledger_key).is_none();
        check.that(sound, "ledger_key", Breach::RevokedKey);
        if let Some(node) = &enrolment.node {
            check_node(&mut check, &covenant, kind, node);
        }
        check.done()?;
        self.departed.remove(oin);
        self.accessions.remove(oin);
        for key in [&enrolment.signing_key, &enrolment.ledger_key] {
            self.keys.add((oin.clone(), key.clone()), ());
        }
        let (oin, enrolment) = (oin.clone(), Arc::new(enrolment));
        self.enrolled.insert((oin.clone(), self.documents() + 1), Arc::clone(&enrolment));
        self.enrolments.insert(oin, enrolment);
        Ok(())
    }

    /// Whoever joins a kind that is open accedes first (clause S2); a later enrolment needs no second one,
    /// unless the organisation left in between.
    fn check_accession(&self, check: &mut Check, covenant: &Covenant, enrolment: &Enrolment) {
        let oin = &enrolment.partner;
        let known = self.enrolments.contains_key(oin) && !self.departed.contains_key(oin);
        let acceded =
            self.accessions.get(oin).is_some_and(|keys| keys.contains(&enrolment.signing_key));
        let holds = known || acceded || !covenant.is_open_to(enrolment.kind.as_str());
        check.that(holds, "signing_key", Breach::NoAccession);
    }

    /// An organisation leaves by its own word, or is excluded by the LSI's quorum. Of two instants the earlier
    /// one counts: whoever announces a late departure is excluded all the same.
    pub(super) fn admit_departure(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Departure);
        let departure: Departure = read(&mut check, envelope)?;
        self.signed_or_quorum(check.kind(), envelope, &departure.partner)?;
        let before = self.departed.get(&departure.partner);
        let earlier = before.is_none_or(|before| departure.from < *before);
        check.that(earlier, "from", Breach::Left);
        check.done()?;
        // Whoever comes back accedes again.
        self.accessions.remove(&departure.partner);
        self.departed.insert(departure.partner, departure.from);
        Ok(())
    }

    /// A key is revoked by the organisation whose it is, or by the LSI's quorum. Of two instants the
    /// earlier one counts.
    pub(super) fn admit_revocation(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Revocation);
        let revocation: Revocation = read(&mut check, envelope)?;
        self.signed_or_quorum(check.kind(), envelope, &revocation.partner)?;
        let key = (revocation.partner, revocation.key);
        check.that(self.keys.contains_key(&key), "key", Breach::UnknownKey);
        check.done()?;
        let from = self.revoked.entry(key).or_insert(revocation.from);
        *from = revocation.from.min(*from);
        Ok(())
    }

    /// The LSI designates an abuse under a goal that needs it (clause S3).
    pub(super) fn admit_designation(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Designation);
        self.quorum(check.kind(), envelope)?;
        let designation: Designation = read(&mut check, envelope)?;
        let covenant = self.covenant_for(check.kind())?;
        match covenant.goal(&designation.goal) {
            None => check.that(false, "goal", Breach::UnknownGoal),
            Some(goal) => check.that(goal.needs_designation, "goal", Breach::NeedsNone),
        }
        let (first, last) = (designation.valid_from, designation.valid_until);
        check.that(first <= last, "valid_until", Breach::EndsBeforeStart);
        check.done()?;
        self.designations.entry(designation.goal.clone()).or_default().push(Arc::new(designation));
        Ok(())
    }
}

fn check_node(check: &mut Check, covenant: &Covenant, kind: &str, node: &NodeEnrolment) {
    for id in &node.datasets {
        let dataset = covenant.dataset(id).filter(|_| id.kind() == kind);
        check.that_of(dataset.is_some(), "node.datasets", Breach::ForeignDataset, id);
        let area = dataset.is_none_or(Dataset::is_bound);
        check.that_of(area, "node.datasets", Breach::AreaOfDataset, id);
    }
}
