use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

const SIZE_DEFAULT: u32 = 50;
const SIZE_MAX: u32 = 500;

/// A page of a list, and the cursor of the next one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    items: Vec<T>,
    /// The cursor of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl<T> Page<T> {
    /// Builds a page from the first `size` of `rows`. `rows` has one more if there is a
    /// next page. `cursor` names the last row shown.
    pub(crate) fn of<R>(
        mut rows: Vec<R>,
        size: u32,
        cursor: impl Fn(&R) -> String,
        render: impl Fn(&R) -> T,
    ) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let has_more = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| has_more).map(cursor);
        Self {
            items: rows.iter().map(render).collect(),
            next,
        }
    }
}

/// The size of a page: 1 to 500; 50 by default.
pub(crate) fn page_size(limit: Option<u32>) -> Result<u32, Problem> {
    match limit {
        None => Ok(SIZE_DEFAULT),
        Some(limit) if (1..=SIZE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::field("limit", "must be 1 to 500")),
    }
}
