module.exports = {
  up: async (queryInterface, Sequelize) => {
    await queryInterface.removeColumn('orders', 'note');
  },
  down: async (queryInterface, Sequelize) => {
    await queryInterface.addColumn('orders', 'note', { type: Sequelize.TEXT });
  },
};
