//! When the wishes of a list came in.

use jiff::civil::Date;

use crate::{
    clock,
    error::BulkError,
    input::{DateOrder, Moment, read_date},
    store::ChangeSet,
};

/// Which columns of a list have the date on which a wish came in, as the plan read them; those that
/// speak of it most plainly first.
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
        let dates = self
            .columns
            .iter()
            .flat_map(|column| cells.iter().filter(move |(header, _)| header == column));
        let mut dates = dates.filter_map(|(_, cell)| {
            let other = match self.order {
                DateOrder::Mdy => DateOrder::Dmy,
                DateOrder::Dmy => DateOrder::Mdy,
            };
            let now = clock::in_utc();
            let read = |order| read_date(cell, order, now);
            read(self.order).or_else(|_| read(other)).ok().map(Moment::day)
        });
        dates.next()
    }
}
