//! The beginning of a response, gathered so that it leaves in one piece.

use std::{pin::Pin, time::Duration};

use futures::{StreamExt as _, stream::Peekable};
use tokio::{sync::mpsc::Receiver, time::timeout};
use tokio_stream::wrappers::ReceiverStream;

use crate::Deadline;

/// How long headers wait for a first message.
const MOMENT: Duration = Duration::from_millis(50);

/// Messages on their way to a peer, of which the first may be there already.
pub type Gathered<T> = Peekable<ReceiverStream<T>>;

/// Waits a moment for the first message. Headers that leave with it wake the peer once; those of an answer that takes
/// longer leave without, so that the peer knows that its request was taken.
/// `deadline` is that of the request: headers leave well before it.
pub async fn gather<T>(messages: Receiver<T>, deadline: Option<Deadline>) -> Gathered<T> {
    let mut messages = ReceiverStream::new(messages).peekable();
    let left = deadline.map_or(MOMENT, |deadline| deadline.left().unwrap_or_default() / 2);
    // Whether it came in time makes no difference to what is sent.
    let _late = timeout(MOMENT.min(left), Pin::new(&mut messages).peek()).await.is_err();
    messages
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn headers_wait_for_the_first_message_and_not_for_long() {
        let (sender, receiver) = channel(2);
        let mut gathering = std::pin::pin!(gather(receiver, None));
        assert!(gathering.as_mut().now_or_never().is_none());
        sender.send(1).await.unwrap();
        let mut early = gathering.now_or_never().unwrap();
        sender.send(2).await.unwrap();
        drop(sender);
        let all = (early.next().await, early.next().await, early.next().await);
        assert_eq!(all, (Some(1), Some(2), None));

        // Nobody sends anything before it is given up.
        for deadline in [None, Some(Deadline::after(Duration::ZERO))] {
            let (sender, receiver) = channel(2);
            let mut late = gather(receiver, deadline).await;
            sender.send(3).await.unwrap();
            drop(sender);
            assert_eq!((late.next().await, late.next().await), (Some(3), None));
        }
    }
}
