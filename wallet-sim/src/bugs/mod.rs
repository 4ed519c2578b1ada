//! Bugs planted on purpose, to prove that a simulation finds such. None of them
//! is in what a host runs: they sit in front of the ports, or take the place of
//! what a process, a client or a harness does.

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
    /// A bug planted on purpose, to prove that a simulation finds it.
    Bug {
        /// The store reads records before it has the locks, and so misses the
        /// one that a commit made meanwhile.
        ReadsKeysBeforeLocks,
        /// The store reads accounts before it has the locks, versions and all,
        /// and writes over what is there by then.
        ReadsAccountsBeforeLocks,
        /// The same of balances alone: versions are read again under the locks.
        ReadsBalancesBeforeLocks,
        /// The same of the status: a freeze that was committed meanwhile is not
        /// seen.
        ReadsStatusBeforeLocks,
        /// The same of holds: what was captured or released meanwhile is not
        /// seen.
        ReadsHoldsBeforeLocks,
        /// The same of what is reversed of transfers.
        ReadsReversalsBeforeLocks,
        /// Now and then the store commits effects without their records, as a
        /// crash does between two transactions.
        RecordsAfterCommit,
        /// Now and then the store commits records without their effects, as a
        /// crash does between two transactions the other way round.
        RecordsBeforeCommit,
        /// Now and then a commit reaches the store twice and has effect twice.
        AppliesTwice,
        /// Now and then the store answers a commit that it does not make.
        LosesCommit,
        /// Now and then an account's row is written over with an older one.
        LosesUpdate,
        /// Now and then a commit goes without its row in the outbox.
        LosesEvents,
        /// A commit that goes on without requests that it cannot have goes
        /// without its row in the outbox.
        LosesEventsOfSplits,
        /// The outbox row is written after the commit, with the next one: late,
        /// and lost where nothing comes.
        WritesEventsLater,
        /// What is rolled back leaves its row in the outbox.
        TellsWhatIsRolledBack,
        /// A stored row that cannot be read fails whatever is read or committed
        /// beside it.
        SpreadsDamage,
        /// The store counts nothing as reversed.
        ForgetsReversals,
        /// A hold that expires gives back all that it held, captured or not.
        ExpiryIgnoresCaptures,
        /// A hold that was released is released again.
        ReleasesTwice,
        /// The sweep ends holds half a second early.
        SweepsEarly,
        /// Effects have the time of the clock, even where it stepped back.
        LetsTimeGoBack,
        /// A past balance is answered without keeping later effects out of it.
        AnswersPastUnfenced,
        /// Records are forgotten after a fifth of a second.
        ForgetsKeysEarly,
        /// A process says that nothing was done where nobody knows.
        CallsUnknownNotDone,
        /// A process answers now and then before it has committed, and never does.
        AnswersWithoutCommit,
        /// A process takes an unknown commit for a failure and submits the
        /// request again, under a key of its own.
        ResubmitsUnderNewKey,
        /// A client whose answer is lost asks again under a new key.
        RetriesUnderNewKey,
        /// A client takes a lost answer for a failure.
        TakesSilenceForFailure,
        /// A client takes it for a failure that nothing is recorded yet.
        TakesNothingRecordedForFailure,
        /// The store keeps no record of a bulk request as a whole.
        ForgetsBulkRequests,
        /// The store carries out what is sent under a cancelled key.
        IgnoresCancellations,
        /// The outbox takes any lease for the present one.
        IgnoresFencing,
        /// The outbox gives its partition to whoever asks.
        GivesLeasesAway,
        /// The outbox hands rows out newest first.
        ClaimsNewestFirst,
        /// The outbox takes a row of which some events are done for done.
        MarksWholeRows,
        /// The relay marks events as published before they are, and publishes
        /// them later, if it lives.
        MarksBeforePublishing,
        /// The forwarder goes on with a group behind a message that failed.
        OvertakesInGroup,
        /// A message is deleted when it is received, and handled afterwards.
        DeletesOnReceipt,
        /// The queue keeps no order of groups.
        MixesGroups,
        /// The consumer records an effect apart from its event, effect first.
        RecordsStepAfterEffect,
        /// The same, the event first.
        RecordsStepBeforeEffect,
        /// The consumer knows again only what it has seen lately, and in this
        /// process.
        DeduplicatesByWindow,
        /// The projector writes over gaps: what is missing stays so.
        SkipsGaps,
        /// The projector takes lines for written that were not.
        SwallowsErrors,
        /// History keeps one entry of an account for each microsecond.
        OverwritesSameTime,
        /// The cache keeps what came last, whatever its version.
        CachesWithoutVersions,
        /// A process tells the cache of balances before they are committed.
        CachesBeforeCommit,
        /// A process takes any cached balance for fresh enough.
        IgnoresTokens,
    }
}
