class X < ActiveRecord::Migration[7.0]
  disable_ddl_transaction!
  def change
    add_index :orders, :total, algorithm: :concurrently
  end
end
