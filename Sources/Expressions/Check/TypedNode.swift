/// The typed tree: what the checker made of the syntax, and the compiler reads.
indirect enum TypedNode: Sendable { case null }
