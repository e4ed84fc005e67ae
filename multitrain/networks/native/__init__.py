"""Operations that Keras leaves to the framework, for each of them."""
