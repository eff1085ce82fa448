exports.up = function (knex) {
  return knex.schema.alterTable('orders', function (t) {
    t.dropColumn('note');
    t.string('code', 20).notNullable();
    t.index(['code']);
  });
};
exports.down = (knex) => knex.schema.alterTable('orders', (t) => {
  t.string('note');
});
