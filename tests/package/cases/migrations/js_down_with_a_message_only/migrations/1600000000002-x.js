module.exports.up = async (knex) => {
  await knex.schema.alterTable('orders', (table) => table.dropColumn('note'));
};
module.exports.down = async () => {
  console.log('nothing to take back');
};
