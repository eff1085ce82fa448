module.exports.up = async (knex) => {
  await knex.schema.alterTable('orders', (table) => table.dropColumn('note'));
};
module.exports.down = async ({ builder: { addColumns } }) => {
  await addColumns('orders', ['note']);
};
