//! Change sets: plan, apply, resume and undo thousands of contact changes
