crate::planted_bugs! {
    /// A bug that is planted in a history.
    HistoryBug {
        /// Stores no reference.
        LosesReferences,
        /// Writes existing lines again.
        WritesTwice,
        /// Accepts lines after a gap.
        SkipsGaps,
        /// Ignores a different line under the same sequence.
        IgnoresOtherLines,
        /// Sorts lines.
        SortsLines,
        /// Accepts entries that go back in time.
        TakesAnyTime,
        /// Writes nothing of a call whose first line exists.
        DropsOverlaps,
        /// Writes only the first 100 lines of a call.
        CutsLongCalls,
        /// Rounds a balance to its first 17 digits.
        RoundsBalances,
        /// Loses all data when it is opened again.
        ForgetsOnRestart,
        /// Stores one entry per microsecond.
        KeepsOnePerMicrosecond,
        /// Links no row to a row of an earlier call.
        LinksWithinACall,
        /// Includes the end of a time range.
        IncludesTo,
        /// Uses one history for the same id in all ledgers.
        IgnoresLedgers,
        /// Returns heads in the order of keys.
        SortsHeads,
        /// Returns no cursor with an empty page.
        LosesTheCursor,
        /// Continues after the time of a cursor, and ignores the sequence.
        PagesByTime,
        /// Accepts the cursor of any query.
        TakesAnyCursor,
        /// Returns at most 1,000 rows.
        CutsLongPages,
        /// Returns a transfer's rows in the order of accounts.
        SortsByAccount,
        /// Returns only one page of a reference.
        EndsAfterAPage,
        /// Compares references without regard to case.
        FoldsCase,
        /// Hides expiring rows at once.
        ExpiresAtOnce,
        /// Excludes the start of a time range.
        ExcludesFrom,
        /// Continues with the rows of the next account.
        RunsOn,
        /// Checks the head before the lock, and writes under it.
        ChecksTooEarly,
        /// Checks the epoch before the lock, and writes under it.
        ChecksTheEpochTooEarly,
        /// Deletes superseded rows.
        RemovesTheSuperseded,
        /// Returns rows in doubt until they are superseded.
        ReadsWhatIsInDoubt,
        /// Returns superseded rows once other entries took their place.
        ReadsTheSuperseded,
        /// Returns repeated entries together with the superseded ones.
        ReadsTwiceWhatCameAgain,
        /// Supersedes again rows that were written since.
        SupersedesAgain,
        /// Accepts lines of any writer, whatever its epoch is.
        IgnoresTheWriter,
        /// Uses only the time of the last restore.
        GoesByTimeOnly,
        /// Records nothing for accounts without rows.
        PassesOverTheEmpty,
        /// Ends a page at superseded rows.
        EndsAtTheSuperseded,
        /// Holds restores only in memory.
        ForgetsRestores,
    }
}
