const {createAddColumnMigration} = require('../utils');

module.exports = createAddColumnMigration('letters', 'colour', {type: 'string', maxlength: 50});
