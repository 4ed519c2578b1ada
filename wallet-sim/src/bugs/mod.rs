//! Planted bugs, which prove that a simulation detects such bugs. None of them is
//! in production code. They sit in front of the ports, or replace a part of a
//! process, a client or a harness.

mod cache;
mod history;
mod outbox;
mod publisher;
mod queue;
mod saboteur;
mod snapshots;

use wallet_testkit::planted_bugs;

pub(super) use cache::BuggyCache;
pub(super) use history::BuggyHistory;
pub(super) use outbox::BuggyOutbox;
pub(super) use publisher::BuggyPublisher;
pub(super) use queue::BuggyQueue;
pub use saboteur::{Circumstances, Sabotage, Saboteur};

planted_bugs! {
    /// A planted bug, which proves that a simulation detects it.
    Bug {
        /// The store reads records before it has the locks. So it misses a record that a
        /// commit wrote meanwhile.
        ReadsKeysBeforeLocks,
        /// The store reads accounts before it has the locks, versions included. So it
        /// overwrites later states.
        ReadsAccountsBeforeLocks,
        /// The store reads balances before it has the locks. It reads only versions again
        /// under the locks.
        ReadsBalancesBeforeLocks,
        /// The store reads the status before it has the locks. So it misses a freeze that
        /// was committed meanwhile.
        ReadsStatusBeforeLocks,
        /// The store reads holds before it has the locks. So it misses captures and
        /// releases that were committed meanwhile.
        ReadsHoldsBeforeLocks,
        /// The store reads reversed amounts before it has the locks.
        ReadsReversalsBeforeLocks,
        /// Sometimes the store commits effects without their records, as a crash between
        /// two transactions does.
        RecordsAfterCommit,
        /// Sometimes the store commits records without their effects, as a crash between
        /// two transactions in the opposite order does.
        RecordsBeforeCommit,
        /// Sometimes a commit reaches the store twice and takes effect twice.
        AppliesTwice,
        /// Sometimes the store answers a commit that it does not make.
        LosesCommit,
        /// Sometimes an account's row is overwritten with an older one.
        LosesUpdate,
        /// Sometimes a commit writes no outbox row.
        LosesEvents,
        /// A commit without its blocked requests writes no outbox row.
        LosesEventsOfSplits,
        /// The outbox row is written with the next commit: late, and lost if no commit
        /// follows.
        WritesEventsLater,
        /// A commit that is rolled back leaves its row in the outbox.
        TellsWhatIsRolledBack,
        /// An unreadable row fails all reads and commits of neighbouring rows.
        SpreadsDamage,
        /// The store counts nothing as reversed.
        ForgetsReversals,
        /// The expiry of a hold releases its full amount, even what was captured.
        ExpiryIgnoresCaptures,
        /// A released hold is released again.
        ReleasesTwice,
        /// The sweep expires holds half a second early.
        SweepsEarly,
        /// Effects have the clock's time, even where it stepped back.
        LetsTimeGoBack,
        /// A past balance is answered without fencing off later effects.
        AnswersPastUnfenced,
        /// Records are deleted after 200 ms.
        ForgetsKeysEarly,
        /// A process answers "not done" when the result is unknown.
        CallsUnknownNotDone,
        /// Sometimes a process answers before the commit, and never commits.
        AnswersWithoutCommit,
        /// A process treats an unknown commit as a failure, and submits the request again
        /// under another key.
        ResubmitsUnderNewKey,
        /// A client retries a lost answer under a new key.
        RetriesUnderNewKey,
        /// A client treats a lost answer as a failure.
        TakesSilenceForFailure,
        /// A client treats a missing record as a failure.
        TakesNothingRecordedForFailure,
        /// The store writes no record of a bulk request itself.
        ForgetsBulkRequests,
        /// The store carries out requests under a cancelled key.
        IgnoresCancellations,
        /// The outbox accepts any lease, and so ignores the fencing token.
        IgnoresFencing,
        /// The outbox grants its lease to every caller.
        GivesLeasesAway,
        /// The outbox returns rows newest first.
        ClaimsNewestFirst,
        /// The outbox treats a row with some done events as complete.
        MarksWholeRows,
        /// The relay marks events as published before they are, and publishes them later,
        /// if it lives.
        MarksBeforePublishing,
        /// The forwarder continues with a group after a message of it failed.
        OvertakesInGroup,
        /// A message is deleted when it is received, and handled afterwards.
        DeletesOnReceipt,
        /// The queue does not preserve the order of groups.
        MixesGroups,
        /// The consumer records an effect apart from its event, the effect first.
        RecordsStepAfterEffect,
        /// The consumer records an effect apart from its event, the event first.
        RecordsStepBeforeEffect,
        /// The consumer detects only recent duplicates, and only within this process.
        DeduplicatesByWindow,
        /// The projector writes over gaps, so missing entries stay missing.
        SkipsGaps,
        /// The projector treats failed writes as done.
        SwallowsErrors,
        /// History holds one entry of an account for each microsecond.
        OverwritesSameTime,
        /// The cache stores the latest write, whatever its version.
        CachesWithoutVersions,
        /// A process writes balances to the cache before they are committed.
        CachesBeforeCommit,
        /// A process treats any cached balance as fresh enough.
        IgnoresTokens,
    }
}
