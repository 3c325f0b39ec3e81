//! What all handles, lists and exports are, whatever their transport is.

/// `Debug` and `Clone`, for a handle also `Copy`. Derived ones would ask the same of the
/// transport, of which a handle borrows the service and a list or an export shares it.
macro_rules! handle {
    (Copy $name:ident $(<$p:ident>)? { $($field:ident),* }) => {
        impl<T $(, $p: Copy)?> Clone for $name<'_, T $(, $p)?> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T $(, $p: Copy)?> Copy for $name<'_, T $(, $p)?> {}

        $crate::handle::handle!(Debug '_ $name $(<$p>)? { $($field),* });
    };
    (Clone $name:ident $(<$p:ident>)? { $($field:ident),* }) => {
        impl<T $(, $p: Clone)?> Clone for $name<T $(, $p)?> {
            fn clone(&self) -> Self {
                Self {
                    service: self.service.clone(),
                    $($field: self.$field.clone(),)*
                }
            }
        }

        $crate::handle::handle!(Debug $name $(<$p>)? { $($field),* });
    };
    (Debug $($life:lifetime)? $name:ident $(<$p:ident>)? { $($field:ident),* }) => {
        impl<T $(, $p: std::fmt::Debug)?> std::fmt::Debug for $name<$($life,)? T $(, $p)?> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("service", &self.service)
                    $(.field(stringify!($field), &self.$field))*
                    .finish()
            }
        }
    };
}
pub(crate) use handle;
