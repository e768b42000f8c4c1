" Recurve's equation language. To install: cp -r editors/vim/* ~/.vim/
if exists('b:current_syntax') | finish | endif
syntax keyword recurveBlock include function cell model derive
syntax keyword recurveDeclaration state map fit bias gain activation parameter constant input let
syntax keyword recurveStatement for from down to return unroll step steps all of
syntax keyword recurveConstant true false units forget identity
syntax keyword recurveDistribution uniform normal truncated_normal integer orthogonal chrono
syntax keyword recurveDistribution xavier_uniform xavier_normal kaiming_uniform kaiming_normal
syntax match recurveCall /\<\h\w*\ze(/ contains=recurveDistribution
syntax match recurveNumber /\<\d\+\(\.\d\+\)\?\([eE][-+]\?\d\+\)\?\>/
syntax match recurveOperator /[-+*\/.@^'=~:<>]/
syntax region recurveString start=/"/ end=/"/ oneline
syntax match recurveComment /#.*/ contains=@Spell
highlight default link recurveBlock Structure
highlight default link recurveDeclaration Type
highlight default link recurveStatement Statement
highlight default link recurveConstant Constant
highlight default link recurveDistribution Function
highlight default link recurveCall Function
highlight default link recurveNumber Number
highlight default link recurveOperator Operator
highlight default link recurveString String
highlight default link recurveComment Comment
setlocal commentstring=#\ %s expandtab shiftwidth=2
let b:current_syntax = 'recurve'
