module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.changeColumn("clients", "url", { type: Sequelize.STRING(1024), allowNull: true });
    await queryInterface.changeColumn("clients", "note", { type: Sequelize.STRING(20) });
  },
  async down(queryInterface, Sequelize) {
    await queryInterface.changeColumn("clients", "url", { type: Sequelize.STRING });
  },
};
