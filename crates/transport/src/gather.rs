//! The beginning of a response, gathered so that it leaves in one piece.

use std::{pin::Pin, time::Duration};

use futures::{StreamExt as _, stream::Peekable};
use tokio::{sync::mpsc::Receiver, time::timeout};
use tokio_stream::wrappers::ReceiverStream;

/// How long headers wait for a first message.
const MOMENT: Duration = Duration::from_millis(50);

/// Messages on their way to a peer, of which the first may be there already.
pub type Gathered<T> = Peekable<ReceiverStream<T>>;

/// Waits a moment for the first message. Headers that leave with it wake the peer once; those of an answer that takes
/// longer leave without, so that the peer knows that its request was taken.
pub async fn gather<T>(messages: Receiver<T>) -> Gathered<T> {
    let mut messages = ReceiverStream::new(messages).peekable();
    // Whether it came in time makes no difference to what is sent.
    let _late = timeout(MOMENT, Pin::new(&mut messages).peek()).await.is_err();
    messages
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn nothing_is_lost_whether_the_first_message_is_early_or_late() {
        let (sender, receiver) = channel(2);
        sender.send(1).await.unwrap();
        let mut early = gather(receiver).now_or_never().unwrap();
        sender.send(2).await.unwrap();
        drop(sender);
        assert_eq!(
            (early.next().await, early.next().await, early.next().await),
            (Some(1), Some(2), None)
        );

        let (sender, receiver) = channel(2);
        let mut late = gather(receiver).await;
        sender.send(3).await.unwrap();
        drop(sender);
        assert_eq!((late.next().await, late.next().await), (Some(3), None));
    }
}
