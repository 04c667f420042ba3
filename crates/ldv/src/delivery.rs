//! From the journal to the log: lines are made, sent and acknowledged, then the position moves on.

use std::{collections::BTreeSet, fmt, path::Path, sync::Arc, time::Duration};

use convenant_model::Clock;
use convenant_subjects::SubjectRecord;
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::{
    Gate, LdvConfig, LdvError,
    batch::Batch,
    cursor::Cursor,
    error::{Fault, chain},
    meters::Meters,
    origin::{Actions, Origin, window},
    sender::Sender,
};

/// How often it is looked whether an answer ended meanwhile.
const LOOK: Duration = Duration::from_millis(500);
/// First pause after lines were not acknowledged.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Longest that a node that stops waits for the last lines.
const FAREWELL: Duration = Duration::from_secs(2);

/// What delivers a node's log of processing.
pub struct Delivery {
    config: LdvConfig,
    origin: Origin,
    clock: Arc<dyn Clock>,
    sender: Sender,
    cursor: Cursor,
    /// Positions beyond the cursor whose lines are acknowledged already. After a restart they are sent again.
    ahead: BTreeSet<u64>,
    gate: Gate,
    meters: Meters,
}

impl Delivery {
    /// Sets it up. Nothing is sent before [`Delivery::run`]; `folder` is where the position is kept.
    ///
    /// # Errors
    /// When endpoint or files are not as they should be, or the position cannot be read.
    pub fn open(
        config: LdvConfig,
        origin: Origin,
        folder: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LdvError> {
        let channel = config.channel(Arc::clone(&clock))?;
        let cursor = Cursor::open(folder.join("ldv.position")).map_err(LdvError::Position)?;
        let gate = Gate::new(config.mandatory.then_some(config.most_behind_seconds.into()));
        let (sender, ahead) = (Sender::new(channel), BTreeSet::new());
        Ok(Self { config, origin, clock, sender, cursor, ahead, gate, meters: Meters::new() })
    }

    /// Tells whether answers may go on.
    #[must_use]
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Delivers until `stop` is told or dropped, and what is left then if that is quickly done.
    pub async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let looked = tokio::select! {
                _ = &mut stop => break,
                looked = self.round() => looked,
            };
            let wait = match looked {
                Ok(()) => {
                    self.told_again(pause);
                    pause = FIRST_PAUSE;
                    LOOK
                }
                Err(fault) => {
                    let wait = self.wait_after(&fault, pause);
                    self.warn(&fault, wait);
                    pause = wait;
                    wait
                }
            };
            tokio::select! {
                _ = &mut stop => break,
                () = sleep(wait) => {}
            }
        }
        let left = timeout(FAREWELL, self.round()).await;
        if !matches!(left, Ok(Ok(()))) || self.backlog() > 0 {
            let backlog = self.backlog();
            tracing::warn!(backlog, "lines for the log of processing are left for the next start");
        }
    }

    /// Delivers everything that can be, until a look finds nothing more.
    async fn round(&mut self) -> Result<(), Fault> {
        let mut from = self.begin();
        if !self.gate.is_reached() {
            self.sender.send(Vec::new()).await?;
        }
        while self.look(from).await? {
            from = self.cursor.position();
        }
        // Not before what an earlier run left is delivered, too.
        self.gate.caught_up();
        self.meters.backlog(self.backlog());
        Ok(())
    }

    /// Looks at every record from a position on; tells whether something was done, so that more may have ended
    /// meanwhile.
    async fn look(&mut self, from: u64) -> Result<bool, Fault> {
        let (mut at, size, before) = (from, self.origin.journal.size(), self.done());
        if at == size {
            return Ok(false);
        }
        let (mut records, mut actions) = (self.origin.records(at).await?, Actions::default());
        while at < size {
            let (next, rest) = window(records).await?;
            // Were this the end, what is behind it would be taken for delivered.
            at = next.last().map(|(_, next)| *next).ok_or(Fault::BrokenOff)?;
            self.deliver_ended(&next, &mut actions).await?;
            actions.keep_under_way();
            records = rest;
        }
        Ok(self.done() > before)
    }

    /// Delivers what has ended among these records.
    async fn deliver_ended(
        &mut self,
        records: &[(SubjectRecord, u64)],
        actions: &mut Actions,
    ) -> Result<(), Fault> {
        let mut batch = Batch::default();
        for (record, next) in records {
            let (position, told, with) = (next - 1, &record.told, (&self.config, &*self.clock));
            if position < self.cursor.position() || self.ahead.contains(&position) {
                continue;
            }
            match self.origin.action(told, actions, with).await {
                Ok(None) => {}
                Ok(Some((action, end))) => batch.add(position, (&action, end), told, actions),
                Err(Fault::NoDecision { index }) => {
                    self.settle(vec![position])?;
                    self.meters.stepped_over(position, index);
                }
                Err(fault) => {
                    self.deliver(batch).await?;
                    return Err(fault);
                }
            }
            if batch.is_full() {
                self.deliver(std::mem::take(&mut batch)).await?;
            }
        }
        self.deliver(batch).await
    }

    /// The position to go on from. A journal that is shorter was set back: all of it is delivered again.
    fn begin(&mut self) -> u64 {
        let (position, size) = (self.cursor.position(), self.origin.journal.size());
        if position <= size {
            return position;
        }
        tracing::warn!(
            position,
            size,
            "the journal of subjects is shorter than what was delivered of it"
        );
        self.ahead.clear();
        self.cursor.restart();
        0
    }

    async fn deliver(&mut self, batch: Batch) -> Result<(), Fault> {
        let Batch { spans, positions, since, .. } = batch;
        let Some(since) = since else {
            return Ok(());
        };
        self.gate.waits_since(since);
        self.sender.send(spans).await?;
        self.settle(positions)
    }

    /// These records are done with.
    fn settle(&mut self, positions: Vec<u64>) -> Result<(), Fault> {
        self.ahead.extend(positions);
        let mut position = self.cursor.position();
        while self.ahead.remove(&position) {
            position += 1;
        }
        if position > self.cursor.position() {
            self.cursor.move_to(position).map_err(Fault::Position)?;
        }
        Ok(())
    }

    /// Number of records that are done with.
    fn done(&self) -> u64 {
        self.cursor.position() + self.ahead.len() as u64
    }

    fn backlog(&self) -> u64 {
        self.origin.journal.size().saturating_sub(self.done())
    }

    fn wait_after(&self, fault: &Fault, pause: Duration) -> Duration {
        let longest = self.config.longest_pause();
        match fault {
            Fault::Send(error) if error.is_passing() => {
                (pause * 2).max(error.after().unwrap_or_default()).min(longest)
            }
            _ => longest,
        }
    }

    fn warn(&self, fault: &Fault, wait: Duration) {
        // Whatever it is, the lines do not get there.
        self.gate.waits_at_least_since(self.clock.now());
        let backlog = self.backlog();
        self.meters.backlog(backlog);
        let (error, again) = (chain(fault), wait.as_secs_f64());
        if self.gate.is_mandatory() {
            tracing::error!(error, backlog, again, "the log of processing is mandatory and behind");
        } else {
            tracing::warn!(error, backlog, again, "the log of processing is behind");
        }
    }

    fn told_again(&self, pause: Duration) {
        if pause > FIRST_PAUSE {
            tracing::info!("the log of processing acknowledges again");
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (endpoint, position) = (&self.config.endpoint, self.cursor.position());
        write!(f, "Delivery(to {endpoint}, at {position})")
    }
}
