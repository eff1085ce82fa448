module.exports.up = async function up(options) {
  await schema.createAll(options.connection);
};
