// Messages about mistakes in unrolls and the names inside them, word for word.
#include "tests/lang/messages.h"

namespace {

TEST(Messages, NamesInsideUnrolls)
{
    const std::string two = "cell c\n  state h\n  map W\n  g = W x\n  h' = h + g\nmodel m\n"
                            "  input x[1, 2, 1]\n  a = unroll c(x)\n  b = unroll c(x)\n";
    expect_messages({
        {two + "  loss = sum(g[2]^2)\n",
         "my.rv:10:14: error: \"g\" is inside the unrolls \"a\" and \"b\"\n"
         "   10 |   loss = sum(g[2]^2)\n"
         "      |              ^ write a_g or b_g\n"},
        {two + "  loss = sum(g2^2)\n",
         "my.rv:10:14: error: \"g\" is inside the unrolls \"a\" and \"b\"\n"
         "   10 |   loss = sum(g2^2)\n"
         "      |              ^~ write a_g or b_g\n"},
        {two + "  loss = sum(a) + sum(W)\n",
         "my.rv:10:23: error: \"W\" is inside the unrolls \"a\" and \"b\"\n"
         "   10 |   loss = sum(a) + sum(W)\n"
         "      |                       ^ write a_W or b_W\n"},
        {two + "  loss = sum(a) + sum(b)\nderive loss\n  dg[2] = a / a\n  da_g[2] = a / a\n"
               "  d1 of h[1] = a / a\n",
         "my.rv:12:3: error: \"g\" is inside the unrolls \"a\" and \"b\"\n"
         "   12 |   dg[2] = a / a\n"
         "      |   ^~ write a_g or b_g\n"
         "my.rv:14:9: error: \"h\" is inside the unrolls \"a\" and \"b\"\n"
         "   14 |   d1 of h[1] = a / a\n"
         "      |         ^ write a_h or b_h\n"},
        {"model m\n  input x[1, 2, 1]\n  h[1] = unroll rnn(x)\n",
         "my.rv:3:3: error: an unroll needs a name of its own, as in: h = unroll gru(x)\n"
         "    3 |   h[1] = unroll rnn(x)\n"
         "      |   ^~~~\n"},
        {"model m\n  input x[1, 2, 3]\n  a = unroll rnn(x, name=\"e\")\n"
         "  b = unroll rnn(x, units=2, name=\"e\")\n",
         "my.rv:4:7: error: rnn:7:10: parameter \"e/W\" has shape [1,1], but is now requested with "
         "shape [2,2]; use another name or the same shape\n"
         "    4 |   b = unroll rnn(x, units=2, name=\"e\")\n"
         "      |       ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"},
    });
}

TEST(Messages, Unroll)
{
    expect_messages({
        {"cell damped\n"
         "  state h\n"
         "  h' = tanh(h + x)\n"
         "\n"
         "model m(n=2)\n"
         "  input x[n, 3]\n"
         "  h = unroll dampde(x) for 2 steps\n"
         "  loss = sum(h)\n",
         "my.rv:3:13: error: add: shapes do not broadcast: from the last axis on, sizes must be "
         "equal or 1 (x \"h0\" [2,3], \"x\" [2,4]); reshape one of them\n"
         "    3 |   h' = tanh(h + x)\n"
         "      |             ^~~~~\n"
         "my.rv:7:14: error: there is no cell \"dampde\"\n"
         "    7 |   h = unroll dampde(x) for 2 steps\n"
         "      |              ^~~~~~ did you mean \"damped\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru\n",
         "my.rv:3:14: error: expected the cell and its input, as in: unroll curnn(x) for 2 steps\n"
         "    3 |   h = unroll gru\n"
         "      |              ^~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x) for 3\n",
         "my.rv:3:26: error: the end of the line, expected \"steps\"\n"
         "    3 |   h = unroll gru(x) for 3\n"
         "      |                          ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x) 3 steps\n",
         "my.rv:3:21: error: \"3\", expected the end of the line or an operator\n"
         "    3 |   h = unroll gru(x) 3 steps\n"
         "      |                     ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll grue(x)\n",
         "my.rv:3:14: error: there is no cell \"grue\"\n"
         "    3 |   h = unroll grue(x)\n"
         "      |              ^~~~ did you mean \"gru\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x, unit=3)\n",
         "my.rv:3:21: error: gru has no option \"unit\"\n"
         "    3 |   h = unroll gru(x, unit=3)\n"
         "      |                     ^~~~ did you mean \"units\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(y)\n",
         "my.rv:3:18: error: \"y\" is not defined above\n"
         "    3 |   h = unroll gru(y)\n"
         "      |                  ^ a parameter has a shape: y[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x)\n",
         "my.rv:3:7: error: a sequence is [n,steps,..], but this is [2,4]; to repeat one input "
         "write: "
         "unroll gru(..) for 2 steps\n"
         "    3 |   h = unroll gru(x)\n"
         "      |       ^~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x, h=x[:, 0:2], units=3) for 2 steps\n",
         "my.rv:3:7: error: unroll: the initial state \"h\" is [2,2], expected [2,3]; reshape "
         "it\n"
         "    3 |   h = unroll gru(x, h=x[:, 0:2], units=3) for 2 steps\n"
         "      |       ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll lstm(x, c=x, layers=3) for 2 steps\n",
         "my.rv:3:22: error: \"c\" is [2,4], expected [3,..]: one for each layer and direction, as "
         "`unroll .. all layers` gives them\n"
         "    3 |   h = unroll lstm(x, c=x, layers=3) for 2 steps\n"
         "      |                      ^~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll lstm(x, c=x, layers=2) for 2 steps\n",
         "my.rv:3:7: error: unroll: the initial state \"c\" is [4], expected [2,1]; reshape it\n"
         "    3 |   h = unroll lstm(x, c=x, layers=2) for 2 steps\n"
         "      |       ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 3, 4]\n"
         "  a, b, c = unroll lstm(x)\n",
         "my.rv:3:3: error: lstm has 2 states, but 3 names are given\n"
         "    3 |   a, b, c = unroll lstm(x)\n"
         "      |   ^\n"},
        {"model m\n"
         "  input x[2, 3, 4]\n"
         "  h = unroll lstm(x, layers=2) for 2 steps all\n",
         "my.rv:3:47: error: the end of the line, expected \"layers\", as in: h = unroll gru(x, "
         "layers=2) all layers\n"
         "    3 |   h = unroll lstm(x, layers=2) for 2 steps all\n"
         "      |                                               ^\n"},
        {"model m\n"
         "  input x[2, 3, 4]\n"
         "  h[1], c = unroll lstm(x)\n",
         "my.rv:3:3: error: an unroll needs a name of its own, as in: h = unroll gru(x)\n"
         "    3 |   h[1], c = unroll lstm(x)\n"
         "      |   ^~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x) for 0 steps\n",
         "my.rv:3:25: error: 0, expected a whole number from 1 to 100000\n"
         "    3 |   h = unroll gru(x) for 0 steps\n"
         "      |                         ^\n"},
        {"cell two(x, z)\n"
         "  state h\n"
         "  map W\n"
         "  h' = h + W x + sum(z)\n"
         "model m\n"
         "  input x[2, 3, 4], z[2, 5, 4]\n"
         "  h = unroll two(x)\n",
         "my.rv:7:14: error: two takes the inputs x and z\n"
         "    7 |   h = unroll two(x)\n"
         "      |              ^~~~~~\n"},
        {"cell two(x, z)\n"
         "  state h\n"
         "  map W\n"
         "  h' = h + W x + sum(z)\n"
         "model m\n"
         "  input x[2, 3, 4], z[2, 5, 4]\n"
         "  h = unroll two(x, z=z, z=z)\n",
         "my.rv:7:14: error: two takes the inputs x and z\n"
         "    7 |   h = unroll two(x, z=z, z=z)\n"
         "      |              ^~~~~~~~~~~~~~~~\n"},
        {"cell two(x, z)\n"
         "  state h\n"
         "  map W\n"
         "  h' = h + W x + sum(z)\n"
         "model m\n"
         "  input x[2, 3, 4], z[2, 5, 4]\n"
         "  h = unroll two(x, z)\n",
         "my.rv:7:21: error: the input \"z\" is [2,5,4], expected [2,3,..], a value for each step; "
         "if "
         "every step reads all of it, write z=..\n"
         "    7 |   h = unroll two(x, z)\n"
         "      |                     ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru() for 2 steps\n",
         "my.rv:3:14: error: gru takes one input\n"
         "    3 |   h = unroll gru() for 2 steps\n"
         "      |              ^~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = tanh(unroll gru(x))\n",
         "my.rv:3:12: error: unroll stands alone in a line, as in: h = unroll gru(x)\n"
         "    3 |   y = tanh(unroll gru(x))\n"
         "      |            ^~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  h' = unroll gru(x)\n",
         "my.rv:3:8: error: unroll is only allowed in a model\n"
         "    3 |   h' = unroll gru(x)\n"
         "      |        ^~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x, units=x) for 2 steps\n",
         "my.rv:3:21: error: units takes a number\n"
         "    3 |   h = unroll gru(x, units=x) for 2 steps\n"
         "      |                     ^~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = x @ h + W q\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  h = unroll c(x) for 2 steps\n"
         "  y = h\n",
         "my.rv:4:18: error: \"q\" is not defined above\n"
         "    4 |   h' = x @ h + W q\n"
         "      |                  ^ declare a weight: map q, bias q, ..\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W h @ x\n"
         "  y = x @ x\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  h = unroll c(x) for 2 steps\n"
         "  y = h + 1\n",
         "my.rv:4:8: error: matmul: inner sizes 1 and 2 differ (a matmul#18 [2,1], b \"x\" [2,4]); "
         "transpose or reshape one of them\n"
         "    4 |   h' = W h @ x\n"
         "      |        ^~~~~~~\n"},
    });
}

} // namespace
