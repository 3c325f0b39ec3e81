//! When the wishes of a list came in.

use jiff::civil::Date;

use crate::{
    clock,
    error::BulkError,
    input::{DateOrder, read_date},
    store::ChangeSet,
};

/// Which columns of a list have the date on which a wish came in, as the plan read them.
pub(super) struct Received {
    columns: Vec<String>,
    order: DateOrder,
}

impl Received {
    pub(super) fn of(set: &ChangeSet) -> Result<Self, BulkError> {
        let columns = set.database.meta("received_columns")?;
        let order = set.database.meta("date_order")?;
        let columns = columns.and_then(|json| serde_json::from_str(&json).ok());
        Ok(Self { columns: columns.unwrap_or_default(), order: DateOrder::named(order.as_deref()) })
    }

    pub(super) fn date(&self, cells: &[(String, String)]) -> Option<Date> {
        let is_date = |(header, _): &&(String, String)| self.columns.contains(header);
        let dates = cells.iter().filter(is_date);
        let mut dates = dates.filter_map(|(_, cell)| {
            let other = match self.order {
                DateOrder::Mdy => DateOrder::Dmy,
                DateOrder::Dmy => DateOrder::Mdy,
            };
            let today = clock::today();
            let read = |order| read_date(cell, order, today);
            read(self.order).or_else(|_| read(other)).ok()
        });
        dates.next()
    }
}
