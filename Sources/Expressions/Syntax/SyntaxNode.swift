/// The syntax tree.
indirect enum SyntaxNode: Sendable { case null }
