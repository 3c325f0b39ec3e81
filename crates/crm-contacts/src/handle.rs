//! What all handles are, whatever their transport is.

/// `Clone`, `Debug` and, if wanted, `Copy` of a handle. Derived ones would ask the same of the
/// transport, of which a handle holds only a reference.
macro_rules! handle {
    (Copy $name:ident $(<$p:ident>)? { $($field:ident),* }) => {
        impl<T $(, $p: Copy)?> Clone for $name<'_, T $(, $p)?> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T $(, $p: Copy)?> Copy for $name<'_, T $(, $p)?> {}

        $crate::handle::handle!(Debug $name $(<$p>)? { $($field),* });
    };
    (Clone $name:ident $(<$p:ident>)? { $($field:ident),* }) => {
        impl<T $(, $p: Clone)?> Clone for $name<'_, T $(, $p)?> {
            fn clone(&self) -> Self {
                Self {
                    service: self.service,
                    $($field: self.$field.clone(),)*
                }
            }
        }

        $crate::handle::handle!(Debug $name $(<$p>)? { $($field),* });
    };
    (Debug $name:ident $(<$p:ident>)? { $($field:ident),* }) => {
        impl<T $(, $p: std::fmt::Debug)?> std::fmt::Debug for $name<'_, T $(, $p)?> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("service", self.service)
                    $(.field(stringify!($field), &self.$field))*
                    .finish()
            }
        }
    };
}
pub(crate) use handle;
