"""Stand-in data: a production database's schema, row counts and statistics, without a value of its rows; and made-up rows
that agree with them."""
