module.exports = createAddColumnMigration('offers', 'active');
