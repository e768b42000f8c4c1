// Messages about mistakes in cells, word for word.
#include "tests/lang/messages.h"

namespace {

TEST(Messages, Cell)
{
    expect_messages({
        {"cell\n"
         "  state h\n",
         "my.rv:1:5: error: the end of the line, expected the cell's name\n"
         "    1 | cell\n"
         "      |     ^\n"},
        {"cell 2c\n"
         "  state h\n"
         "  h' = h\n",
         "my.rv:1:6: error: \"2\", expected the cell's name\n"
         "    1 | cell 2c\n"
         "      |      ^\n"},
        {"cell c(x, x)\n"
         "  state h\n"
         "  h' = h + x\n",
         "my.rv:1:11: error: \"x\" is already defined\n"
         "    1 | cell c(x, x)\n"
         "      |           ^ see line 1\n"},
        {"cell c(a, b, c, d, e, f, g, i, j, k)\n"
         "  state h\n"
         "  h' = h + a\n",
         "my.rv:1:35: error: a cell has at most 9 inputs\n"
         "    1 | cell c(a, b, c, d, e, f, g, i, j, k)\n"
         "      |                                   ^\n"},
        {"cell c(x\n"
         "  state h\n",
         "my.rv:2:3: error: \"state\", expected \",\" or \")\"\n"
         "    2 |   state h\n"
         "      |   ^~~~~\n"},
        {"cell c\n"
         "  y = x\n",
         "my.rv:1:1: error: the cell \"c\" has no state; declare one: state h\n"
         "    1 | cell c\n"
         "      | ^~~~~~\n"},
        {"cell c\n"
         "  state h\n",
         "my.rv:2:9: error: the state \"h\" never gets its next value\n"
         "    2 |   state h\n"
         "      |         ^ write h' = ..\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = tanh(V h)\n",
         "my.rv:4:13: error: \"V\" is not defined above\n"
         "    4 |   h' = tanh(V h)\n"
         "      |             ^ declare a weight: map V, bias V, ..\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = tanh(W h + hh)\n",
         "my.rv:4:19: error: \"hh\" is not defined above\n"
         "    4 |   h' = tanh(W h + hh)\n"
         "      |                   ^~ did you mean \"h\"?\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = x @ h\n",
         "my.rv:4:8: error: matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"h0\" [2,3]); "
         "transpose or reshape one of them\n"
         "    4 |   h' = x @ h\n"
         "      |        ^~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = h\n"
         "cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = h\n",
         "my.rv:1:1: error: unroll: the shape of the state could not be worked out, the step "
         "changes none; fix the cell\n"
         "    1 | cell c\n"
         "      | ^~~~~~\n"
         "my.rv:5:6: error: \"c\" is already defined on line 1\n"
         "    5 | cell c\n"
         "      |      ^\n"},
    });
}

TEST(Messages, CellInsideACell)
{
    expect_messages({
        {"cell c\n"
         "  state h\n"
         "  h' = gru(x)\n",
         "my.rv:3:8: error: gru takes its inputs and states: x, h\n"
         "    3 |   h' = gru(x)\n"
         "      |        ^~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  h' = gru(x, h, h=h)\n",
         "my.rv:3:8: error: gru takes its inputs and states: x, h\n"
         "    3 |   h' = gru(x, h, h=h)\n"
         "      |        ^~~~~~~~~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  h', a = gru(x, h)\n",
         "my.rv:3:3: error: gru has 1 state, but 2 names are given\n"
         "    3 |   h', a = gru(x, h)\n"
         "      |   ^~\n"},
        {"cell c\n"
         "  state h\n"
         "  h' = h + gru(x, h)\n",
         "my.rv:3:12: error: there is no op or function \"gru\"\n"
         "    3 |   h' = h + gru(x, h)\n"
         "      |            ^~~ a cell stands alone in its line, as in: y = gru(x, h)\n"},
        {"cell c\n"
         "  state h\n"
         "  h' = gru(x, h, layers=2)\n",
         "my.rv:3:18: error: \"layers\" is an option of unroll, not of a step\n"
         "    3 |   h' = gru(x, h, layers=2)\n"
         "      |                  ^~~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  h' = gru(x, h, kernl=2)\n",
         "my.rv:3:18: error: gru has no option \"kernl\"\n"
         "    3 |   h' = gru(x, h, kernl=2)\n"
         "      |                  ^~~~~ did you mean \"kernel\"?\n"},
        {"cell c\n"
         "  state h\n"
         "  h' = c(x, h)\n",
         "my.rv:3:8: error: the cell \"c\" would be inside itself\n"
         "    3 |   h' = c(x, h)\n"
         "      |        ^\n"},
        {"cell c\n"
         "  state h\n"
         "  h' = grru(x, h)\n",
         "my.rv:3:8: error: there is no op or function \"grru\"\n"
         "    3 |   h' = grru(x, h)\n"
         "      |        ^~~~ did you mean \"gru\"?\n"},
        {"cell c\n"
         "  state h\n"
         "  y[0] = rnn(x, h)\n"
         "  y[1] = rnn(y[0], h)\n"
         "  h' = y[1]\n",
         "my.rv:4:10: error: the parameters of two cells would be called \"y/..\"\n"
         "    4 |   y[1] = rnn(y[0], h)\n"
         "      |          ^~~~~~~~~~~~ give each a name: rnn(.., name=\"y2\")\n"},
        {"cell c\n"
         "  state h, a\n"
         "  h', a' = tanh(h)\n",
         "my.rv:3:7: error: several names on the left stand for the states of a cell, as in: h, "
         "c = unroll lstm(x)\n"
         "    3 |   h', a' = tanh(h)\n"
         "      |       ^~\n"},
        {"cell big = rnn(layers=2)\n"
         "cell c\n"
         "  state h\n"
         "  h' = big(x, h)\n",
         "my.rv:4:8: error: \"big\" sets options of a net, but this is one step of a cell; use "
         "the cell that it is made of\n"
         "    4 |   h' = big(x, h)\n"
         "      |        ^~~~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  h' = rnn(x, sum(h))\n",
         "my.rv:3:8: error: cell: \"W\" maps rows [n,inputs], but its argument is []; reshape it\n"
         "    3 |   h' = rnn(x, sum(h))\n"
         "      |        ^~~~~~~~~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  h', 3 = rnn(x, h)\n",
         "my.rv:3:7: error: cannot assign to this; write a name, as in: g = sigmoid(x)\n"
         "    3 |   h', 3 = rnn(x, h)\n"
         "      |       ^\n"},
        {"cell c\n"
         "  state h\n"
         "  h', h' = lstm(x, h, h)\n",
         "my.rv:3:7: error: \"h\" is already defined\n"
         "    3 |   h', h' = lstm(x, h, h)\n"
         "      |       ^ see line 3\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = gru(x, x)\n",
         "my.rv:3:7: error: there is no op or function \"gru\"\n"
         "    3 |   h = gru(x, x)\n"
         "      |       ^~~ a cell is applied at each step: unroll gru(x)\n"},
    });
}

TEST(Messages, CellAlias)
{
    expect_messages({
        {"cell c =\n", "my.rv:1:9: error: the end of the line, expected a value\n"
                       "    1 | cell c =\n"
                       "      |         ^\n"},
        {"cell c = gru\n", "my.rv:1:10: error: expected a cell with options, as in: gru(kernel=3)\n"
                           "    1 | cell c = gru\n"
                           "      |          ^~~\n"},
        {"cell c = gru(kernel=3\n",
         "my.rv:1:22: error: the end of the line, expected \",\" or \")\"\n"
         "    1 | cell c = gru(kernel=3\n"
         "      |                      ^\n"},
        {"cell c = grv(kernel=3)\n", "my.rv:1:10: error: there is no cell \"grv\"\n"
                                     "    1 | cell c = grv(kernel=3)\n"
                                     "      |          ^~~ did you mean \"gru\"?\n"},
        {"cell c = gru(kernal=3)\n", "my.rv:1:14: error: gru has no option \"kernal\"\n"
                                     "    1 | cell c = gru(kernal=3)\n"
                                     "      |              ^~~~~~ did you mean \"kernel\"?\n"},
        {"cell c = gru(bias=2)\n", "my.rv:1:14: error: bias takes true or false\n"
                                   "    1 | cell c = gru(bias=2)\n"
                                   "      |              ^~~~~~\n"},
        {"cell c = gru(units=1.5, layers=-1)\n", "my.rv:1:14: error: units takes a whole number\n"
                                                 "    1 | cell c = gru(units=1.5, layers=-1)\n"
                                                 "      |              ^~~~~~~~~\n"},
    });
}

TEST(Messages, State)
{
    expect_messages({
        {"cell c\n"
         "  state\n",
         "my.rv:2:8: error: the end of the line, expected a name\n"
         "    2 |   state\n"
         "      |        ^\n"},
        {"cell c\n"
         "  state h,\n",
         "my.rv:2:11: error: the end of the line, expected a name\n"
         "    2 |   state h,\n"
         "      |           ^\n"},
        {"cell c\n"
         "  state h h\n",
         "my.rv:2:11: error: \"h\", expected the end of the line or an operator\n"
         "    2 |   state h h\n"
         "      |           ^\n"},
        {"cell c\n"
         "  state h, h\n"
         "  h' = h\n",
         "my.rv:2:12: error: \"h\" is already defined\n"
         "    2 |   state h, h\n"
         "      |            ^ see line 2\n"},
        {"cell c\n"
         "  state h[3\n"
         "  h' = h\n",
         "my.rv:2:12: error: the end of the line, expected \",\" or \"]\"\n"
         "    2 |   state h[3\n"
         "      |            ^\n"},
        {"cell c\n"
         "  state h[k]\n"
         "  map W\n"
         "  h' = W h\n",
         "my.rv:2:11: error: \"k\" is not defined above\n"
         "    2 |   state h[k]\n"
         "      |           ^ a size is a number, or units\n"},
        {"cell c\n"
         "  state h[7]\n"
         "  map W\n"
         "  h' = W h\n",
         "my.rv:2:9: error: the next value of the state \"h\" is [2,3], expected [2,7] as "
         "declared\n"
         "    2 |   state h[7]\n"
         "      |         ^~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  state h\n",
         "my.rv:3:3: error: \"state\" cannot be declared here\n"
         "    3 |   state h\n"
         "      |   ^~~~~ only a cell declares it\n"},
        {"cell c\n"
         "  state a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q\n"
         "  a' = a\n  b' = b\n  c' = c\n  d' = d\n"
         "  e' = e\n  f' = f\n  g' = g\n  h' = h\n"
         "  i' = i\n  j' = j\n  k' = k\n  l' = l\n"
         "  m' = m\n  n' = n\n  o' = o\n  p' = p\n",
         "my.rv:2:57: error: \"q\" is one state too many; a cell has at most 16\n"
         "    2 |   state a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q\n"
         "      |                                                         ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h = W h\n",
         "my.rv:4:3: error: \"h\" is a state, and is read only\n"
         "    4 |   h = W h\n"
         "      |   ^ its next value is h' = ..\n"},
    });
}

TEST(Messages, NextState)
{
    expect_messages({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' W h\n",
         "my.rv:4:6: error: \"W\", expected \"=\" and a value; declarations start with state, map, "
         "bias, parameter, input, ..\n"
         "    4 |   h' W h\n"
         "      |      ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  g' = W h\n",
         "my.rv:4:3: error: \"g\" is not a state\n"
         "    4 |   g' = W h\n"
         "      |   ^~ declare it: state g\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W h\n"
         "  h' = W h\n",
         "my.rv:5:3: error: \"h\" is already defined\n"
         "    5 |   h' = W h\n"
         "      |   ^ see line 4\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  y = h'\n"
         "  h' = W h\n",
         "my.rv:4:7: error: the next value of \"h\" is not known yet; a line above must define "
         "it\n"
         "    4 |   y = h'\n"
         "      |       ^~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = sum(W h)\n",
         "my.rv:4:12: error: cell: \"W\" maps rows [n,inputs], but its argument is []; reshape it\n"
         "    4 |   h' = sum(W h)\n"
         "      |            ^~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  x' = x\n",
         "my.rv:3:3: error: \"x\" is not a state\n"
         "    3 |   x' = x\n"
         "      |   ^~\n"},
    });
}

TEST(Messages, Map)
{
    expect_messages({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  map U =\n"
         "  h' = W h\n",
         "my.rv:4:10: error: the end of the line, expected a value\n"
         "    4 |   map U =\n"
         "      |          ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  map W\n"
         "  h' = W h\n",
         "my.rv:4:7: error: \"W\" is already defined\n"
         "    4 |   map W\n"
         "      |       ^ see line 3\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  map U ~ gauss(0, 1)\n"
         "  h' = W h\n",
         "my.rv:4:11: error: expected a distribution after ~, as in: W ~ normal(0, 0.1)\n"
         "    4 |   map U ~ gauss(0, 1)\n"
         "      |           ^~~~~~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W\n",
         "my.rv:4:8: error: the map \"W\" needs an argument behind it, as in: W h\n"
         "    4 |   h' = W\n"
         "      |        ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = h W\n",
         "my.rv:4:8: error: \"h\" is not a map\n"
         "    4 |   h' = h W\n"
         "      |        ^ the map comes first: W h\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  map U ~ normal(0)\n"
         "  h' = U h\n",
         "my.rv:4:11: error: normal takes two numbers\n"
         "    4 |   map U ~ normal(0)\n"
         "      |           ^~~~~~~~~ write normal(mean, deviation)\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  map W\n"
         "  y = x\n",
         "my.rv:3:3: error: \"map\" cannot be declared here\n"
         "    3 |   map W\n"
         "      |   ^~~ only a cell declares it\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W(h, x)\n",
         "my.rv:4:8: error: W takes one value\n"
         "    4 |   h' = W(h, x)\n"
         "      |        ^~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W conv(x, K[3, 3])\n",
         "my.rv:4:8: error: cell: \"W\" maps rows [n,inputs], but its argument is [2,3,6,6]; "
         "reshape it\n"
         "    4 |   h' = W conv(x, K[3, 3])\n"
         "      |        ^~~~~~~~~~~~~~~~~~\n"},
    });
}

TEST(Messages, Fit)
{
    expect_messages({
        {"cell c\n"
         "  state h\n"
         "  fit 3\n"
         "  h' = h\n",
         "my.rv:3:7: error: \"3\", expected a name\n"
         "    3 |   fit 3\n"
         "      |       ^\n"},
        {"cell c\n"
         "  state h\n"
         "  fit F\n"
         "  h' = G x\n",
         "my.rv:4:8: error: \"G\" is not defined above\n"
         "    4 |   h' = G x\n"
         "      |        ^ declare a weight: map G, bias G, ..\n"},
        {"cell c\n"
         "  state h\n"
         "  fit F\n"
         "  h' = F\n",
         "my.rv:4:8: error: the map \"F\" needs an argument behind it, as in: F h\n"
         "    4 |   h' = F\n"
         "      |        ^\n"},
    });
}

TEST(Messages, Bias)
{
    expect_messages({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  bias b 1\n"
         "  h' = W h + b\n",
         "my.rv:4:10: error: \"1\", expected the end of the line or an operator\n"
         "    4 |   bias b 1\n"
         "      |          ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  bias b = frget\n"
         "  h' = W h + b\n",
         "my.rv:4:12: error: \"frget\" is not defined above\n"
         "    4 |   bias b = frget\n"
         "      |            ^~~~~ did you mean \"forget\"?\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  bias b\n"
         "  h' = b.(W h)\n",
         "my.rv:5:8: error: the bias \"b\" is added to a tensor: x + b\n"
         "    5 |   h' = b.(W h)\n"
         "      |        ^\n"},
    });
}

TEST(Messages, Gain)
{
    expect_messages({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  gain g = 1 2\n"
         "  h' = g.(W h)\n",
         "my.rv:4:14: error: \"2\", expected the end of the line or an operator\n"
         "    4 |   gain g = 1 2\n"
         "      |              ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  gain gg\n"
         "  h' = g.(W h)\n",
         "my.rv:5:8: error: \"g\" is not defined above\n"
         "    5 |   h' = g.(W h)\n"
         "      |        ^ declare a weight: map g, bias g, ..\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  gain g\n"
         "  h' = W h + g + 2.g + g.g + exp(g).h\n",
         ""},
    });
}

TEST(Messages, Activation)
{
    expect_messages({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s =\n"
         "  h' = s(W h)\n",
         "my.rv:4:17: error: the end of the line, expected a value\n"
         "    4 |   activation s =\n"
         "      |                 ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s = tnah\n"
         "  h' = s(W h)\n",
         "my.rv:4:14: error: the activation \"s\" needs an op, as in: activation s = tanh\n"
         "    4 |   activation s = tnah\n"
         "      |              ^~~~~~~~ did you mean \"tanh\"?\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s = add\n"
         "  h' = s(W h)\n",
         "my.rv:5:8: error: add is not a function of one value\n"
         "    5 |   h' = s(W h)\n"
         "      |        ^~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s\n"
         "  h' = s(W h)\n",
         "my.rv:4:14: error: the activation \"s\" needs an op, as in: activation s = tanh\n"
         "    4 |   activation s\n"
         "      |              ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s = tanh\n"
         "  h' = W h + s\n",
         "my.rv:5:14: error: the activation \"s\" needs an argument, as in: s(x)\n"
         "    5 |   h' = W h + s\n"
         "      |              ^\n"},
    });
}

} // namespace
