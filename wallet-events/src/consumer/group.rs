//! Handles the messages of one group.

use futures_util::FutureExt;
use wallet_core::messaging::Received;

use super::Core;
use crate::delivery::HeldMessages;

impl Core {
    /// Handles the messages of one group in order, up to the first failure. The failed
    /// message and those behind it go back. Returns the numbers of the completed
    /// messages.
    pub(super) async fn group(
        &self,
        messages: Vec<(usize, Received)>,
        hands: &HeldMessages<'_>,
    ) -> Vec<usize> {
        let mut numbers: Vec<_> = messages.iter().map(|(number, _)| *number).collect();
        // Boxed, because the future is large.
        let (done, failed) = self.in_order(&messages).boxed().await;
        let left = numbers.split_off(done);
        if let Some(receives) = failed {
            let pause = self.settings.retry.pause(receives);
            hands.give_back_some(&left, pause).await;
        }
        numbers
    }

    /// How many messages were completed, and the receive count of the failed message, if
    /// any.
    async fn in_order(&self, messages: &[(usize, Received)]) -> (usize, Option<u32>) {
        for (done, (_, received)) in messages.iter().enumerate() {
            if self.steps.message(&received.message.body).await.is_err() {
                return (done, Some(received.receives));
            }
        }
        (messages.len(), None)
    }
}
