module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable("clients", {
      id: { type: Sequelize.UUID, primaryKey: true },
      url: { type: Sequelize.STRING, allowNull: true },
      note: Sequelize.STRING(50),
    });
  },
  async down(queryInterface) {
    await queryInterface.dropTable("clients");
  },
};
