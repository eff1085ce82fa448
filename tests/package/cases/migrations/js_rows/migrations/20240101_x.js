exports.up = async (knex) => { await knex('posts').update({a: 1}); };
exports.down = async () => {};
