class X < ActiveRecord::Migration[7.0]
  def change
    add_index :orders, :total
  end
end
