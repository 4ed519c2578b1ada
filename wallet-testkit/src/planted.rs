/// Defines an enum of planted bugs, and the list `ALL` of them.
///
/// ```
/// wallet_testkit::planted_bugs! {
///     /// A bug that a cache is planted with.
///     CacheBug {
///         /// Forgets every second entry.
///         ForgetsHalf,
///     }
/// }
/// assert_eq!(CacheBug::ALL, [CacheBug::ForgetsHalf]);
/// ```
#[macro_export]
macro_rules! planted_bugs {
    ($(#[$enum_doc:meta])* $name:ident { $($(#[$doc:meta])* $bug:ident,)* }) => {
        $(#[$enum_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $bug,)*
        }

        impl $name {
            /// All bugs.
            pub const ALL: &'static [Self] = &[$(Self::$bug),*];
        }
    };
}
