class Prove < ActiveRecord::Migration[7.1]
  def up
    validate_check_constraint :orders, :name => "orders_title_not_null"
    change_column_null :orders, :title, false
    change_column_null :orders, :note, false
    remove_check_constraint :orders, :name => "orders_title_not_null"
  end

  def down
    change_column_null :orders, :title, true
  end
end
