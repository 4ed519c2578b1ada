crate::planted_bugs! {
    /// A bug that a store is planted with.
    Bug {
        /// Decides on what was read before the lock, and writes over whatever is
        /// there by then.
        LosesUpdates,
        /// Reads keys before the locks and everything else under them.
        ReadsKeysBeforeLocks,
        /// Records nothing.
        ForgetsRecords,
        /// Records nothing of what was refused.
        ForgetsRefusals,
        /// Does not look for keys.
        IgnoresRecords,
        /// Replays whatever stands under the key.
        IgnoresFingerprints,
        /// Keeps no record of a bulk request as a whole.
        ForgetsBulkRequests,
        /// Writes an outcome over the cancellation of its key.
        IgnoresCancellations,
        /// Deletes the records of a bulk request one by one, each by its age.
        PurgesBulkRequestsInParts,
        /// Replays with the balances of now.
        ReplaysLiveBalances,
        /// Keeps what a refused request did before it was refused.
        HalfApplies,
        /// Writes no outbox row.
        ForgetsOutbox,
        /// Writes a batch's outcomes in reverse.
        ReversesOutcomes,
        /// Writes an outbox row only with the next commit.
        HoldsRowsBack,
        /// Hands rows out newest first.
        ClaimsNewestFirst,
        /// Rows put aside are claimed all the same.
        KeepsAsideOpen,
        /// Rows put aside never come back.
        ForgetsWhatIsAside,
        /// Takes any lease for the present one.
        IgnoresFencing,
        /// Gives a partition to whoever asks.
        GivesLeasesAway,
        /// Waits for the end of a lease, however far ahead that is.
        KeepsLeasesFromAhead,
        /// Gives two entries of an account the same number.
        DuplicatesSequences,
        /// Writes the debit of a transfer and not its credit.
        WritesOneSide,
        /// Counts nothing as reversed.
        ForgetsReversals,
        /// Leaves a hold as it was placed.
        ForgetsCaptures,
        /// Keeps no exponent of a currency.
        ForgetsCurrencies,
        /// Keeps 53 bits of a balance, as a float does.
        RoundsMoney,
        /// Gives effects the time of the clock alone.
        LetsTimeGoBack,
        /// Answers a past balance without fencing it.
        AnswersPastUnfenced,
        /// Includes the end of a range of time.
        IncludesTheEnd,
        /// Compares owners without regard to case.
        FoldsCase,
        /// Adds up customers' accounts only.
        LeavesOutTheHost,
        /// Adds up holds in a later state than that of their accounts.
        SumsHoldsLater,
        /// Counts as purgeable what is too young.
        CountsWhatStays,
        /// Deletes transfers and holds with the records.
        PurgesIds,
        /// Answers a raise of the epoch and does not keep it.
        ForgetsEpochs,
        /// Raises the epoch again whenever it is asked for the same.
        RaisesTwice,
        /// Writes everything in the first epoch.
        StaysInTheFirstEpoch,
        /// Reads the epoch before the locks, and commits in it.
        ReadsEpochBeforeLocks,
        /// Has nothing left when it is opened again.
        ForgetsOnRestart,
    }
}
