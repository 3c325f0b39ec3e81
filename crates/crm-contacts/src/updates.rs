//! The updates that rest on a reading, which the handles of bookings, people and methods share.

/// Writes the updates that rest on a reading: of this kind of change, of records that are read as
/// `$read` and compared as `$record`. A handle with several records says what names one of them.
macro_rules! updates {
    ($change:ty: $read:ty => $record:ty $(, of $id:ident: $id_type:ty)?) => {
        /// Reads the record and sends the change only if something differs.
        ///
        /// # Errors
        ///
        /// Returns the errors of [`update`](Self::update), and
        /// [`ContactsError::NotFound`](crate::ContactsError::NotFound).
        pub async fn update_if_changed(
            &self,
            $($id: $id_type,)?
            change: &$change,
        ) -> Result<$crate::decision::Updated<$record>, $crate::error::ContactsError> {
            $crate::decision::Decision::of(self.place($($id)?), change).read_and_make().await
        }

        /// Does what [`update_if_changed`](Self::update_if_changed) does, but only if nobody changed the
        /// record after `unmodified_since`. What that can and cannot show is said at
        /// [`OwnerContacts::update_if_unmodified_since`](crate::OwnerContacts::update_if_unmodified_since).
        ///
        /// # Errors
        ///
        /// Returns [`ContactsError::Modified`](crate::ContactsError::Modified) when it was changed;
        /// otherwise the errors of [`update_if_changed`](Self::update_if_changed).
        pub async fn update_if_unmodified_since(
            &self,
            $($id: $id_type,)?
            change: &$change,
            unmodified_since: crm_models::Timestamp,
        ) -> Result<$crate::decision::Updated<$record>, $crate::error::ContactsError> {
            $crate::decision::Decision::of(self.place($($id)?), change)
                .unless_modified_since(Some(unmodified_since))
                .read_and_make()
                .await
        }

        /// Updates a record that the caller has just read, as
        /// [`update_if_changed`](Self::update_if_changed) does, or with a time as
        /// [`update_if_unmodified_since`](Self::update_if_unmodified_since).
        ///
        /// # Errors
        ///
        /// Returns the errors of [`update_if_unmodified_since`](Self::update_if_unmodified_since).
        pub async fn update_from(
            &self,
            current: impl Into<$crate::reading::Reading<$read>>,
            change: &$change,
            unmodified_since: Option<crm_models::Timestamp>,
        ) -> Result<$crate::decision::Updated<$record>, $crate::error::ContactsError> {
            let reading = current.into();
            $(let $id = reading.record.id;)?
            $crate::decision::Decision::of(self.place($($id)?), change)
                .unless_modified_since(unmodified_since)
                .make(reading.map(Into::into), None)
                .await
        }

        /// Returns the request that [`update_if_changed`](Self::update_if_changed) would send to this
        /// record, or `None` when nothing differs.
        ///
        /// # Errors
        ///
        /// Returns [`ContactsError::Invalid`](crate::ContactsError::Invalid).
        pub fn preview(
            &self,
            current: &$read,
            change: &$change,
        ) -> Result<Option<$crate::change::Preview>, $crate::error::ContactsError> {
            $(let $id = current.id;)?
            $crate::decision::Decision::of(self.place($($id)?), change)
                .preview(&current.clone().into())
        }
    };
}
pub(crate) use updates;
