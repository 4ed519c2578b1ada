crate::planted_bugs! {
    /// A bug that a history is planted with.
    HistoryBug {
        /// Keeps no reference.
        LosesReferences,
        /// Writes again what it holds.
        WritesTwice,
        /// Takes what lies behind a gap.
        SkipsGaps,
        /// Says nothing where another line stands.
        IgnoresOtherLines,
        /// Puts lines in order by itself.
        SortsLines,
        /// Takes entries that go back in time.
        TakesAnyTime,
        /// Writes nothing of a call whose first line it holds.
        DropsOverlaps,
        /// Writes the first hundred lines of a call.
        CutsLongCalls,
        /// Keeps the first 17 digits of a balance.
        RoundsBalances,
        /// Has nothing left when it is opened again.
        ForgetsOnRestart,
        /// Keeps one entry of a microsecond.
        KeepsOnePerMicrosecond,
        /// Links no row to one of an earlier call.
        LinksWithinACall,
        /// Includes the end of a range of times.
        IncludesTo,
        /// Has one history for the same id in all ledgers.
        IgnoresLedgers,
        /// Answers heads in the order of keys.
        SortsHeads,
        /// Gives no cursor with an empty page.
        LosesTheCursor,
        /// Goes on behind the time of a cursor.
        PagesByTime,
        /// Takes the cursor of any query.
        TakesAnyCursor,
        /// Gives a thousand rows at most.
        CutsLongPages,
        /// Gives a transfer's rows in the order of accounts.
        SortsByAccount,
        /// Gives one page of a reference.
        EndsAfterAPage,
        /// Compares references without regard to case.
        FoldsCase,
        /// Hides rows that are to go at once.
        ExpiresAtOnce,
        /// Leaves out the beginning of a range of times.
        ExcludesFrom,
        /// Goes on with the rows of the next account.
        RunsOn,
        /// Looks where history ends before the lock, and writes under it.
        ChecksTooEarly,
        /// Looks at the epoch before the lock, and writes under it.
        ChecksTheEpochTooEarly,
        /// Removes what is superseded.
        RemovesTheSuperseded,
        /// Reads what is in doubt until it is superseded.
        ReadsWhatIsInDoubt,
        /// Reads what is superseded once other entries took its place.
        ReadsTheSuperseded,
        /// Reads what came again beside what was superseded.
        ReadsTwiceWhatCameAgain,
        /// Supersedes again what came since.
        SupersedesAgain,
        /// Takes lines of any writer.
        IgnoresTheWriter,
        /// Goes by the time of the last restore only.
        GoesByTimeOnly,
        /// Notes nothing of accounts without rows.
        PassesOverTheEmpty,
        /// Ends a page at what is superseded.
        EndsAtTheSuperseded,
        /// Keeps restores in memory.
        ForgetsRestores,
    }
}
