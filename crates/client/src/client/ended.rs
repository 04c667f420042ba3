//! What became of each target: a receipt, an account of the answer, and a file.

use convenant_model::{
    Oin, Problem,
    entry::{Entry, Receipt, Status},
};

use super::{Client, ClientError, TargetResult, frames::Slot};
use crate::{
    compose::{ComposeError, Composed},
    output::Ended,
    receive::{Accepted, ReceiveError},
    results::{Answer, signed_of},
    vouchers::{self, VouchersFile, vouchers_path},
};

/// Most bytes of an outcome that does not verify, in a receipt.
const MOST_SIGNED: usize = 24 << 10;

impl Client {
    /// Records what was received for one target. An answer is reported only with its receipt.
    pub(super) async fn receipt(
        &self,
        composed: &Composed,
        (target, slot): (usize, Slot),
    ) -> Result<TargetResult, ClientError> {
        let number = u32::try_from(target).unwrap_or(u32::MAX);
        let partner = composed.query.targets.get(target).map(|target| target.partner.clone());
        let partner = partner.ok_or(ClientError::Malformed("a target that was not asked"))?;
        let failed = |problem| Status::Failed { problem };
        let (status, signed, refused_here) = match slot {
            Slot::Accepted(accepted) => return self.accept(composed, partner, *accepted).await,
            Slot::Declined(status) => (status, None, None),
            // Its partner did well: nobody is to be told otherwise because a disk here is full.
            Slot::Refused(error @ ReceiveError::Output(_), signed) => {
                (failed(Problem::NotRecorded), signed, Some(error))
            }
            Slot::Refused(error, signed) => (failed(Problem::BadSignature), signed, Some(error)),
            Slot::Waiting(_) => (failed(Problem::Cancelled), None, None),
        };
        // What does not verify is kept as evidence, as long as a receipt has room for it.
        let evidence = signed.clone().filter(|signed| signed.len() <= MOST_SIGNED);
        self.record(composed, (number, &partner), &status, evidence).await?;
        self.account_for(composed, (number, &partner), signed.as_deref())?;
        Ok(TargetResult {
            target: number,
            partner,
            status,
            refused_here,
            file: None,
            sealed: false,
            deadline: None,
            vouchers: None,
            rows: 0,
            alarm: false,
        })
    }

    async fn accept(
        &self,
        composed: &Composed,
        partner: Oin,
        accepted: Accepted,
    ) -> Result<TargetResult, ClientError> {
        let Accepted { outcome, signed, output, kept, extent } = accepted;
        let (target, status, rows) = (outcome.target, outcome.status.clone(), extent.rows);
        let alarm = outcome.alarm;
        let answer = Answer::new(&composed.query, &outcome, extent, self.clock.now());
        let answer = answer.ok_or(ClientError::Malformed("a target that was not asked"))?;
        let deadline = answer.deadline.filter(|_| output.is_some());
        // Receipt, account, rows and vouchers reach the disk side by side, …
        let results = self.results.clone();
        let ended = output.map(|output| {
            tokio::task::spawn_blocking(move || -> Result<_, ClientError> {
                let account = answer.seal().map_err(ComposeError::Canonical)?;
                let ended = output.end(&account)?;
                let path = vouchers_path(ended.path());
                let vouchers = kept.map(|kept| vouchers::write(&kept, &path)).transpose()?;
                // The vouchers are of these people as the rows are, and go when the rows go.
                let beside = vouchers.as_ref().map(|(ended, _)| ended);
                results.note(answer, &ended, beside)?;
                Ok((ended, vouchers))
            })
        });
        self.record(composed, (target, &partner), &status, Some(signed)).await?;
        // … and the rows get their name only now: a result without a receipt or an account does not exist.
        let mut result = TargetResult {
            target,
            partner,
            status,
            refused_here: None,
            file: None,
            sealed: false,
            deadline,
            vouchers: None,
            rows,
            alarm,
        };
        if let Some(ended) = ended {
            let (ended, vouchers) = ended.await.map_err(|_| ClientError::Interrupted)??;
            result.sealed = ended.key().is_some();
            // The rows first: vouchers without them would be for nobody.
            result.file = Some(ended.keep()?);
            let keep = |(ended, file): (Ended, VouchersFile)| ended.keep().map(|_| file);
            result.vouchers = vouchers.map(keep).transpose()?;
        }
        Ok(result)
    }

    /// An answer that was not accepted, or could not be kept, and that its partner gave by its own
    /// signature: the partner counts it until a record says that it was destroyed.
    fn account_for(
        &self,
        composed: &Composed,
        (target, partner): (u32, &Oin),
        signed: Option<&str>,
    ) -> Result<(), ClientError> {
        let snapshot = self.follower.current();
        let state = snapshot.register().state();
        let enrolment = state.enrolment_when(partner, composed.query.register.size);
        let key = enrolment.map(|enrolment| &enrolment.ledger_key);
        let outcome = signed.zip(key).and_then(|(signed, key)| signed_of(signed, key));
        let counted = outcome.filter(|outcome| {
            outcome.status == Status::Answered
                && (outcome.query, outcome.target) == (composed.query.id, target)
                && outcome.signed_query == composed.hash
        });
        if let Some(outcome) = counted {
            self.results.note_nothing(composed, &outcome, self.clock.now())?;
        }
        Ok(())
    }

    pub(super) async fn record(
        &self,
        composed: &Composed,
        (target, partner): (u32, &Oin),
        status: &Status,
        outcome: Option<String>,
    ) -> Result<(), ClientError> {
        let receipt = Entry::Receipt(Receipt {
            party: self.partner.clone(),
            query: composed.query.id,
            target,
            partner: partner.clone(),
            at: self.clock.now(),
            signed_query: composed.signed.clone(),
            outcome,
            status: status.clone(),
        });
        let recorded = self.receipts.record(receipt).await;
        recorded.map(drop).map_err(|error| ClientError::Record(Box::new(error)))
    }
}
