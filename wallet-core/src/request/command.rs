//! Commands: the operations that a request asks for.

use crate::ledger::{Description, Metadata, Reference, TextError, Timestamp};

/// Defines a command: public fields to read, a constructor for the required fields,
/// a `with_*` method for each optional field. More fields may be added later.
macro_rules! command {
    (
        $(#[$doc:meta])* $name:ident
        needs { $($(#[$need_doc:meta])* $need:ident: $need_type:ty,)* }
        may { $($(#[$may_doc:meta])* $may:ident, $with:ident: $may_type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$need_doc])* pub $need: $need_type,)*
            $($(#[$may_doc])* pub $may: $may_type,)*
        }

        impl $name {
            /// The command with every optional field at its default.
            #[must_use]
            pub fn new($($need: $need_type),*) -> Self {
                Self { $($need,)* $($may: Default::default(),)* }
            }

            $(
                $(#[$may_doc])*
                #[must_use]
                pub fn $with(mut self, $may: impl Into<$may_type>) -> Self {
                    self.$may = $may.into();
                    self
                }
            )*
        }

        impl From<$name> for Command {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        }
    };
}

mod account;
mod hold;
mod reverse;
mod transfer;

pub use account::{Change, ChangeLimits, ChangeStatus, OpenAccount};
pub use hold::{Capture, Expire, PlaceHold, Release};
pub use reverse::{Reverse, ReverseWhat};
pub use transfer::{
    Deposit, PostTransfer, Share, Split, SystemAccount, SystemLeg, SystemTransfer, Withdrawal,
};

/// Setters of single [`Details`] for each command that has them.
macro_rules! details {
    ($($name:ident),*) => {$(
        impl $name {
            /// The code of the host's chart of accounts.
            #[must_use]
            pub const fn with_code(mut self, code: u32) -> Self {
                self.details.code = code;
                self
            }

            /// The host's reference. Transfers are found by it.
            ///
            /// # Errors
            /// [`TextError`] where the text is no [`Reference`].
            pub fn with_reference(mut self, reference: &str) -> Result<Self, TextError> {
                self.details.reference = Some(Reference::new(reference)?);
                Ok(self)
            }

            /// A description for a statement.
            ///
            /// # Errors
            /// [`TextError`] where the text is no [`Description`].
            pub fn with_description(mut self, description: &str) -> Result<Self, TextError> {
                self.details.description = Some(Description::new(description)?);
                Ok(self)
            }

            /// The host's metadata.
            #[must_use]
            pub fn with_metadata(mut self, metadata: Metadata) -> Self {
                self.details.metadata = Some(metadata);
                self
            }

            /// The effective date for reports.
            #[must_use]
            pub const fn with_effective_at(mut self, at: Timestamp) -> Self {
                self.details.effective_at = Some(at);
                self
            }
        }
    )*};
}

details!(
    PostTransfer,
    Deposit,
    Withdrawal,
    SystemTransfer,
    Split,
    PlaceHold,
    Capture,
    Reverse
);

/// One operation. A [`Request`](crate::request::Request) holds one or more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant is documented on its struct")]
pub enum Command {
    OpenAccount(OpenAccount),
    ChangeStatus(ChangeStatus),
    ChangeLimits(ChangeLimits),
    PostTransfer(PostTransfer),
    Deposit(Deposit),
    Withdrawal(Withdrawal),
    SystemTransfer(SystemTransfer),
    Split(Split),
    PlaceHold(PlaceHold),
    Capture(Capture),
    Release(Release),
    Expire(Expire),
    Reverse(Reverse),
}
