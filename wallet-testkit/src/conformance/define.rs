/// Defines a suite: the table of its cases, and an exported macro that makes one
/// test of each.
///
/// The themes are modules beside the invocation, and the cases are functions of
/// them. `as` names the function that runs a case. The table must be a name of
/// [`conformance`](crate::conformance) too, where the exported macro finds it. The
/// last token is `$`, because a macro cannot write one in a macro that it defines.
macro_rules! suite {
    (
        $(#[$doc:meta])* $table:ident of $kit:ty, as $by:ident,
        $(#[$macro_doc:meta])* $conformance:ident {
            $($theme:ident { $($case:ident)* })*
        } $dollar:tt
    ) => {
        $(#[$doc])*
        pub const $table: &[$crate::conformance::Case<$kit>] = &[$($(
            $crate::conformance::Case {
                theme: stringify!($theme),
                name: stringify!($case),
                run: |kit| $by(kit, $theme::$case(kit)),
            },
        )*)*];

        $(#[$macro_doc])*
        #[macro_export]
        macro_rules! $conformance {
            ($dollar factory:expr) => {
                $(mod $theme {
                    #[allow(unused_imports)]
                    use super::*;
                    $(#[test]
                    fn $case() {
                        $crate::conformance::run_named(
                            $dollar factory,
                            $crate::conformance::$table,
                            stringify!($theme),
                            stringify!($case),
                        );
                    })*
                })*
            };
        }
    };
}

pub(crate) use suite;
