class X < ActiveRecord::Migration[7.0]
  def change
    remove_column :orders, :note, :text
  end
end
