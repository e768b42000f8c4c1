// Messages about mistakes in derivations, word for word.
#include "tests/lang/messages.h"

namespace {

TEST(Messages, Derive)
{
    expect_messages({
        {"derive loss\n"
         "  dx = 1\n",
         "my.rv:1:1: error: there is no model above\n"
         "    1 | derive loss\n"
         "      | ^~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive\n"
         "  dx = 1\n",
         "my.rv:5:7: error: the end of the line, expected the loss, as in: derive loss\n"
         "    5 | derive\n"
         "      |       ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive los\n"
         "  dg = 1\n",
         "my.rv:5:8: error: \"los\" is not defined above\n"
         "    5 | derive los\n"
         "      |        ^~~ did you mean \"loss\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss of n\n"
         "  dg = 1\n",
         "my.rv:5:16: error: there is no model \"n\" above\n"
         "    5 | derive loss of n\n"
         "      |                ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive g\n"
         "  dx = 1\n",
         "my.rv:5:8: error: the loss is [2,4], expected a single number; take its sum or mean\n"
         "    5 | derive g\n"
         "      |        ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss \"title\n"
         "  dx = 1\n",
         "my.rv:5:13: error: this text has no end; close it with \"\n"
         "    5 | derive loss \"title\n"
         "      |             ^~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss 3\n"
         "  dx = 1\n",
         "my.rv:5:13: error: \"3\", expected the end of the line or an operator\n"
         "    5 | derive loss 3\n"
         "      |             ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n",
         "my.rv:5:12: error: expected a body below: lines that are indented more\n"
         "    5 | derive loss\n"
         "      |            ^\n"},
    });
}

TEST(Messages, DeriveLine)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dg 1\n",
         "my.rv:6:6: error: \"1\", expected \"=\" and a value; declarations start with state, map, "
         "bias, parameter, input, ..\n"
         "    6 |   dg 1\n"
         "      |      ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dgg = 1\n",
         "my.rv:6:3: error: \"dgg\" is not the cotangent of anything\n"
         "    6 |   dgg = 1\n"
         "      |   ^~~ write dg for g, or name it: dgg of g = .., or: let dgg = ..\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dg = x - x + 1\n"
         "  dg = x\n",
         "my.rv:7:3: error: dg is derived a second time\n"
         "    7 |   dg = x\n"
         "      |   ^~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  w = 2\n",
         "my.rv:6:3: error: \"w\" is not the cotangent of anything\n"
         "    6 |   w = 2\n"
         "      |   ^ write dg for g, or name it: w of g = .., or: let w = ..\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  g = 2\n",
         "my.rv:6:3: error: \"g\" is already defined\n"
         "    6 |   g = 2\n"
         "      |   ^ see line 3\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dx' = x\n",
         "my.rv:6:3: error: dx' is a next state, which only a cell has\n"
         "    6 |   dx' = x\n"
         "      |   ^~~\n"},
        {"model m\n"
         "  input x[2, 3, 4], y[2, 4]\n"
         "  h = unroll gru(x, units=4)\n"
         "  loss = sum((h - y)^2)\n"
         "derive loss\n"
         "  dc[3] = (1 - u[3]).2.(h - y)\n"
         "  dbc = sum(dc, axes=[0])\n",
         "my.rv:7:13: error: \"dc\" has a value for each time step\n"
         "    7 |   dbc = sum(dc, axes=[0])\n"
         "      |             ^~ say which: dc[1]\n"},
    });
}

TEST(Messages, DeriveOf)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  d3 of = 1\n",
         "my.rv:6:9: error: \"=\", expected a value\n"
         "    6 |   d3 of = 1\n"
         "      |         ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  d3 of gg = 1\n",
         "my.rv:6:9: error: \"gg\" is not defined above\n"
         "    6 |   d3 of gg = 1\n"
         "      |         ^~ did you mean \"g\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  g of x = 1\n",
         "my.rv:6:3: error: \"g\" is already defined\n"
         "    6 |   g of x = 1\n"
         "      |   ^ see line 3\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  d3 of g = x - x + 1\n"
         "  d3 of x = x\n",
         "my.rv:7:3: error: \"d3\" is already defined\n"
         "    7 |   d3 of x = x\n"
         "      |   ^~ see line 6\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  d3 of x = 2\n",
         "my.rv:3:9: error: \"of\" is only allowed in a derivation\n"
         "    3 |   d3 of x = 2\n"
         "      |         ^\n"},
    });
}

} // namespace
