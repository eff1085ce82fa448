class X < ActiveRecord::Migration[7.0]
  def up
    execute <<~SQL
      UPDATE orders
      SET total = 0
    SQL
  end

  def down
    raise ActiveRecord::IrreversibleMigration
  end
end
