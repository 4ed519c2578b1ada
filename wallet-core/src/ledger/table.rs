/// Gives an enum without data one table of its numbers and names. Every format, column and
/// document uses this table, so that no two of them differ. A missing value does not compile.
macro_rules! table {
    ($type:ident { $($value:ident = $number:literal $name:literal,)* }) => {
        impl $type {
            /// Every value, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$value,)*];

            /// The number of the value in every stored format and column. It never changes.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$value => $number,)* }
            }

            /// The value with this number; `None` for a number that no release wrote.
            #[must_use]
            pub const fn of_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$value),)* _ => None }
            }

            /// The name of the value in JSON and in exports. It never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name,)* }
            }

            /// The value with this name.
            #[must_use]
            pub fn of_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$value),)* _ => None }
            }
        }
    };
}

pub(crate) use table;
