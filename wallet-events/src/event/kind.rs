use wallet_core::ledger::EffectKind;

use super::NotAnEvent;

/// The CloudEvents type of a kind of effect. What a type means never changes. Its events may
/// get further fields; another meaning needs a type that ends with `v2`.
///
/// # Errors
/// [`NotAnEvent`] for a kind that this release does not publish.
pub const fn type_of(kind: EffectKind) -> Result<&'static str, NotAnEvent> {
    Ok(match kind {
        EffectKind::Opened => "wallet.account.opened.v1",
        EffectKind::StatusChanged => "wallet.account.status_changed.v1",
        EffectKind::LimitsChanged => "wallet.account.limits_changed.v1",
        EffectKind::Debited => "wallet.account.debited.v1",
        EffectKind::Credited => "wallet.account.credited.v1",
        EffectKind::HoldPlaced => "wallet.hold.placed.v1",
        EffectKind::HoldCaptured => "wallet.hold.captured.v1",
        EffectKind::HoldReleased => "wallet.hold.released.v1",
        EffectKind::HoldExpired => "wallet.hold.expired.v1",
        EffectKind::Reversed => "wallet.transfer.reversed.v1",
        // The core's enum may grow.
        _ => return Err(NotAnEvent),
    })
}

/// The JSON Schema (draft 2020-12) of a kind's events.
///
/// # Errors
/// [`NotAnEvent`] for a kind that this release does not publish.
pub const fn schema_of(kind: EffectKind) -> Result<&'static str, NotAnEvent> {
    macro_rules! schema {
        ($name:literal) => {
            include_str!(concat!("../../schemas/wallet.", $name, ".json"))
        };
    }
    Ok(match kind {
        EffectKind::Opened => schema!("account.opened.v1"),
        EffectKind::StatusChanged => schema!("account.status_changed.v1"),
        EffectKind::LimitsChanged => schema!("account.limits_changed.v1"),
        EffectKind::Debited => schema!("account.debited.v1"),
        EffectKind::Credited => schema!("account.credited.v1"),
        EffectKind::HoldPlaced => schema!("hold.placed.v1"),
        EffectKind::HoldCaptured => schema!("hold.captured.v1"),
        EffectKind::HoldReleased => schema!("hold.released.v1"),
        EffectKind::HoldExpired => schema!("hold.expired.v1"),
        EffectKind::Reversed => schema!("transfer.reversed.v1"),
        _ => return Err(NotAnEvent),
    })
}

/// The kind of a type; none for a type that this release does not know.
pub(super) fn kind_of(name: &str) -> Option<EffectKind> {
    EffectKind::of_name(name.strip_prefix("wallet.")?.strip_suffix(".v1")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_type_of_its_own() {
        for kind in EffectKind::ALL.iter().copied() {
            let name = type_of(kind).unwrap();
            assert_eq!(name, format!("wallet.{}.v1", kind.name()));
            assert_eq!(kind_of(name), Some(kind));
        }
        for other in [
            "",
            "wallet.account.opened",
            "account.opened.v1",
            "wallet.account.opened.v2",
            "wallet.account.opened.v1.v1",
            "wallet.wallet.account.opened.v1",
            "wallet..v1",
        ] {
            assert_eq!(kind_of(other), None, "{other}");
        }
    }
}
