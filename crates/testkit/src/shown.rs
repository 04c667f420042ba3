//! The register that a hostile coordinator shows.

use convenant_ledger::{DocumentEntry, LedgerSigner, merkle::Frontier};
use convenant_model::{Timestamp, query::RegisterPosition};
use convenant_signing::Jws;
use convenant_wire::v1::{FollowFrame, follow_frame::Body};
use futures::{
    StreamExt as _,
    stream::{BoxStream, iter, pending},
};
use tonic::Status;

use crate::Fallible;

/// Documents, and a checkpoint that need not be over them. It is signed when somebody asks.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The documents; a follower gets those from the index on that it asks for.
    pub documents: Vec<Vec<u8>>,
    /// What the checkpoint states; nothing if it is to state the documents' own root.
    pub position: Option<RegisterPosition>,
    /// Seconds from now to the instant that the checkpoint states.
    pub ahead: i64,
    /// How each answer ends, if not after the last document.
    pub cut: Option<Cut>,
}

/// How an answer ends too early.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// After so many documents, with an error.
    Broken(usize),
    /// After so many documents, as if that were all.
    Ended(usize),
    /// After so many documents nothing more comes, and the stream stays open.
    Stalled(usize),
}

impl Shown {
    /// All of these under their own root.
    #[must_use]
    pub const fn all_of(documents: Vec<Vec<u8>>) -> Self {
        Self { documents, position: None, ahead: 0, cut: None }
    }

    /// These under the root of others.
    ///
    /// # Errors
    /// When one of the others is no document.
    pub fn under_root_of(documents: Vec<Vec<u8>>, others: &[Vec<u8>]) -> Fallible<Self> {
        Ok(Self { position: Some(position(others)?), ..Self::all_of(documents) })
    }

    /// The same, but each answer ends too early.
    #[must_use]
    pub fn cut(mut self, cut: Cut) -> Self {
        self.cut = Some(cut);
        self
    }

    pub(crate) fn frames(
        &self,
        from: usize,
        signer: &LedgerSigner,
        now: Timestamp,
    ) -> Result<BoxStream<'static, Result<FollowFrame, Status>>, Status> {
        let fault = |error: String| Status::internal(error);
        let own = || position(&self.documents).map_err(|error| fault(error.to_string()));
        let RegisterPosition { size, root } = self.position.map_or_else(own, Ok)?;
        let checkpoint = signer.sign(size, root, now.plus_seconds(self.ahead));
        let checkpoint = checkpoint.map_err(|error| fault(error.to_string()))?;
        let documents = self.documents.iter().skip(from).cloned();
        let mut documents: Vec<_> = documents.map(|one| Body::Document(one.into())).collect();
        let cut = self.cut.map(|cut| match cut {
            Cut::Broken(most) => (most, iter([Err(Status::unavailable("gone"))]).boxed()),
            Cut::Ended(most) => (most, iter([]).boxed()),
            Cut::Stalled(most) => (most, pending().boxed()),
        });
        let (most, end) = cut.unwrap_or((usize::MAX, iter([]).boxed()));
        documents.truncate(most);
        let first = Body::Checkpoint(checkpoint.to_string().into_bytes().into());
        let bodies = std::iter::once(first).chain(documents);
        let frames: Vec<_> = bodies.map(|body| Ok(FollowFrame { body: Some(body) })).collect();
        Ok(iter(frames).chain(end).boxed())
    }
}

/// Size and root of documents, whether or not they could follow each other.
fn position(documents: &[Vec<u8>]) -> Fallible<RegisterPosition> {
    let mut tree = Frontier::default();
    for document in documents {
        let typ = Jws::parse(document)?.typ().to_owned();
        tree.append(*DocumentEntry::describe(document, &typ)?.to_bytes()?.leaf());
    }
    Ok(RegisterPosition { size: tree.size(), root: tree.root() })
}
