crate::planted_bugs! {
    /// A bug that is planted in a store.
    Bug {
        /// Decides on accounts that were read before the lock, and overwrites later
        /// states.
        LosesUpdates,
        /// Reads keys before the locks and everything else under them.
        ReadsKeysBeforeLocks,
        /// Writes no records.
        ForgetsRecords,
        /// Writes no records of refusals.
        ForgetsRefusals,
        /// Ignores existing records.
        IgnoresRecords,
        /// Replays the outcome under the key, whatever the fingerprint is.
        IgnoresFingerprints,
        /// Writes no record of a bulk request itself.
        ForgetsBulkRequests,
        /// Overwrites the cancellation of a key with an outcome.
        IgnoresCancellations,
        /// Deletes the records of a bulk request one by one, each by its age.
        PurgesBulkRequestsInParts,
        /// Deletes an item of a bulk request and leaves the rest of it to the next call.
        PurgesItemsAlone,
        /// Replays with the current balances.
        ReplaysLiveBalances,
        /// Keeps the effects of a refused request's earlier commands.
        HalfApplies,
        /// Writes no outbox row.
        ForgetsOutbox,
        /// Writes a batch's outcomes in reverse order.
        ReversesOutcomes,
        /// Writes an outbox row only with the next commit.
        HoldsRowsBack,
        /// Returns rows newest first.
        ClaimsNewestFirst,
        /// Claims rows that were put aside.
        KeepsAsideOpen,
        /// Never reopens rows that were put aside.
        ForgetsWhatIsAside,
        /// Accepts any lease, and so ignores the fencing token.
        IgnoresFencing,
        /// Grants the lease to every caller.
        GivesLeasesAway,
        /// Waits for the end of a lease, however far ahead the end is.
        KeepsLeasesFromAhead,
        /// Gives two entries of an account the same sequence.
        DuplicatesSequences,
        /// Writes the debit of a transfer and not its credit.
        WritesOneSide,
        /// Counts nothing as reversed.
        ForgetsReversals,
        /// Leaves a captured hold unchanged.
        ForgetsCaptures,
        /// Ignores the recorded exponent of a currency.
        ForgetsCurrencies,
        /// Rounds a balance to 53 bits, as a float does.
        RoundsMoney,
        /// Gives effects the time of the clock, even when it stepped back.
        LetsTimeGoBack,
        /// Answers a past balance without fencing off later effects.
        AnswersPastUnfenced,
        /// Finds the captures of a hold again that a page has shown.
        ListsCapturesAgain,
        /// Finds holds in the state in which they were placed.
        ListsHoldsAsPlaced,
        /// Includes the end of a time range.
        IncludesTheEnd,
        /// Compares owners without regard to case.
        FoldsCase,
        /// Adds up customers' accounts only, without system accounts.
        LeavesOutTheHost,
        /// Adds up holds in a later state than that of their accounts.
        SumsHoldsLater,
        /// Counts rows as purgeable that are too young.
        CountsWhatStays,
        /// Deletes transfers and holds with the records.
        PurgesIds,
        /// Answers a raise of the epoch without recording it.
        ForgetsEpochs,
        /// Raises the epoch again for the same request.
        RaisesTwice,
        /// Writes everything in the first epoch.
        StaysInTheFirstEpoch,
        /// Gives balances the first epoch, whatever the database's is.
        ReadsBalancesInTheFirstEpoch,
        /// Reads the epoch before the locks, and commits in it.
        ReadsEpochBeforeLocks,
        /// Loses all data when it is opened again.
        ForgetsOnRestart,
    }
}
