//! What a rebalance takes away, and how the loop learns of it: the group tells it in a callback.

// Nothing of it is given. Step 4 needs something of the kind, which may as well be in another file.
