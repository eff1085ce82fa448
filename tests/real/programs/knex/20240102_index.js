exports.up = (knex) => knex.raw('CREATE INDEX CONCURRENTLY tm ON t (more)');
exports.down = (knex) => knex.raw('DROP INDEX tm');
exports.config = { transaction: false };
