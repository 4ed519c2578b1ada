use std::collections::BTreeSet;

use wallet_core::messaging::{Message, Published, PublisherLimits};

/// The result of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was published.
    Done,
    /// It was not published; a later attempt may succeed.
    Failed(String),
    /// It will never be published as it is.
    Refused(String),
}

/// Plans the calls to a publisher so that no message overtakes an earlier one of its
/// group. Once a message fails, no later message of its group is sent.
#[derive(Debug)]
pub(crate) struct Plan {
    messages: Vec<(Message, Option<Fate>)>,
    limits: PublisherLimits,
}

impl Plan {
    pub(crate) fn new(messages: Vec<Message>, limits: PublisherLimits) -> Self {
        let messages = messages.into_iter().map(|message| {
            let fits = message.bytes() <= limits.bytes;
            let too_large = || Fate::Refused("larger than a call takes".to_owned());
            let fate = (!fits).then(too_large);
            (message, fate)
        });
        Self {
            messages: messages.collect(),
            limits,
        }
    }

    /// The numbers of the messages of the next call; empty when nothing more can be sent.
    pub(crate) fn next_call(&self) -> Vec<(usize, Message)> {
        let (mut call, mut bytes) = (Vec::new(), 0_usize);
        let mut closed: BTreeSet<&str> = BTreeSet::new();
        for (number, (message, fate)) in self.messages.iter().enumerate() {
            match fate {
                Some(Fate::Done) => continue,
                Some(Fate::Failed(_) | Fate::Refused(_)) => {
                    closed.insert(&message.group);
                    continue;
                }
                None if closed.contains(message.group.as_str()) => continue,
                None => {}
            }
            let with = bytes.saturating_add(message.bytes());
            if call.len() >= self.limits.messages.max(1) || with > self.limits.bytes {
                // A later message of its group may be smaller, and would overtake it.
                closed.insert(&message.group);
                continue;
            }
            bytes = with;
            call.push((number, message.clone()));
            if !self.limits.keeps_order {
                closed.insert(&message.group);
            }
        }
        call
    }

    /// Records the result of a message of a call.
    pub(crate) fn settle(&mut self, number: usize, fate: Fate) {
        if let Some((_, known)) = self.messages.get_mut(number) {
            *known = Some(fate);
        }
    }

    /// The result of each message; `None` for a message behind one that was not
    /// published.
    pub(crate) fn fates(&self) -> impl Iterator<Item = (usize, &Message, Option<&Fate>)> {
        let all = self.messages.iter().enumerate();
        all.map(|(number, (message, fate))| (number, message, fate.as_ref()))
    }
}

impl From<Published> for Fate {
    fn from(published: Published) -> Self {
        match published {
            Published::Done => Self::Done,
            Published::Failed { reason } => Self::Failed(reason),
            Published::Refused { reason } => Self::Refused(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PublisherLimits = PublisherLimits {
        messages: 3,
        bytes: 100,
        keeps_order: false,
    };

    fn message(name: &str, body: usize) -> Message {
        Message {
            id: name.to_owned(),
            group: name.chars().take(1).collect(),
            attributes: Vec::new(),
            body: "x".repeat(body),
        }
    }

    fn plan(names: &[&str], limits: PublisherLimits) -> Plan {
        Plan::new(names.iter().map(|name| message(name, 2)).collect(), limits)
    }

    fn next(plan: &Plan) -> Vec<String> {
        let call = plan.next_call().into_iter();
        call.map(|(_, message)| message.id).collect()
    }

    #[test]
    fn a_call_holds_one_of_each_group_and_no_more_than_it_takes() {
        let mut plan = plan(&["a1", "a2", "b1", "c1", "d1"], LIMITS);
        assert_eq!(next(&plan), ["a1", "b1", "c1"]);
        for number in [0, 2, 3] {
            plan.settle(number, Fate::Done);
        }
        assert_eq!(next(&plan), ["a2", "d1"]);
    }

    #[test]
    fn a_publisher_that_keeps_order_gets_several_of_a_group() {
        let limits = PublisherLimits {
            keeps_order: true,
            ..LIMITS
        };
        assert_eq!(
            next(&plan(&["a1", "a2", "b1", "b2"], limits)),
            ["a1", "a2", "b1"]
        );
    }

    #[test]
    fn nothing_goes_behind_one_that_was_not_published() {
        for fate in [Fate::Failed("x".into()), Fate::Refused("x".into())] {
            let mut plan = plan(&["a1", "b1", "a2", "b2"], LIMITS);
            plan.settle(0, fate);
            plan.settle(1, Fate::Done);
            assert_eq!(next(&plan), ["b2"]);
        }
    }

    #[test]
    fn bytes_are_counted_and_a_smaller_one_does_not_overtake() {
        let messages = vec![
            message("a1", 60),
            message("b1", 60),
            message("b2", 1),
            message("c1", 1),
        ];
        let plan = Plan::new(messages, LIMITS);
        assert_eq!(next(&plan), ["a1", "c1"]);
    }

    #[test]
    fn what_is_larger_than_a_call_is_refused_and_stops_its_group() {
        let plan = Plan::new(
            vec![message("a1", 200), message("a2", 1), message("b1", 1)],
            LIMITS,
        );
        assert_eq!(next(&plan), ["b1"]);
        let first = plan.fates().next().unwrap();
        assert!(matches!(first.2, Some(Fate::Refused(_))));
    }
}
