{"targets":[{"target_name":"n","sources":["n.cc"]}]}
