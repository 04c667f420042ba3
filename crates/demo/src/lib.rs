//! an example federation: PKI, keys, documents, synthetic population, configuration
