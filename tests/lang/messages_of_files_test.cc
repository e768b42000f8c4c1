// Messages about mistakes in files and functions, and several mistakes at once, word for word.
#include "tests/lang/messages.h"

namespace {

TEST(Messages, Include)
{
    expect_messages({
        {"include gru.rv\n",
         "my.rv:1:9: error: \"gru\", expected a file in quotes, as in: include \"gru.rv\"\n"
         "    1 | include gru.rv\n"
         "      |         ^~~\n"},
        {"include \"gru.rv\" again\n",
         "my.rv:1:18: error: \"again\", expected the end of the line or an operator\n"
         "    1 | include \"gru.rv\" again\n"
         "      |                  ^~~~~\n"},
        {"include \"none.rv\"\n", "my.rv:1:1: error: a text that is not a file can include none\n"
                                  "    1 | include \"none.rv\"\n"
                                  "      | ^~~~~~~~~~~~~~~~~\n"},
        {"incldue \"gru.rv\"\n",
         "my.rv:1:1: error: \"incldue\", expected cell, model, function, derive or include\n"
         "    1 | incldue \"gru.rv\"\n"
         "      | ^~~~~~~ did you mean \"include\"?\n"},
    });
}

// A mistake in one model hides none in the next.
TEST(Messages, OfEveryModel)
{
    expect_messages({
        {"model a\n"
         "  input x[2]\n"
         "  y = z\n"
         "\n"
         "model b\n"
         "  input x[2], w[3]\n"
         "  y = x + w\n",
         "my.rv:3:7: error: \"z\" is not defined above\n"
         "    3 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"
         "my.rv:7:7: error: add: shapes do not broadcast: from the last axis on, sizes must be "
         "equal "
         "or 1 (x \"x\" [2], \"w\" [3]); reshape one of them\n"
         "    7 |   y = x + w\n"
         "      |       ^~~~~\n"},
    });
}

TEST(Messages, Function)
{
    expect_messages({
        {"function f(x = 2.x\n", "my.rv:1:14: error: \"=\", expected \",\" or \")\"\n"
                                 "    1 | function f(x = 2.x\n"
                                 "      |              ^\n"},
        {"function (x) = x\n", "my.rv:1:10: error: \"(\", expected the function's name\n"
                               "    1 | function (x) = x\n"
                               "      |          ^\n"},
        {"function f(x) = 2.y\n", "my.rv:1:19: error: \"y\" is not defined above\n"
                                  "    1 | function f(x) = 2.y\n"
                                  "      |                   ^\n"},
        {"function f(x, x) = x\n", "my.rv:1:15: error: \"x\" is already defined\n"
                                   "    1 | function f(x, x) = x\n"
                                   "      |               ^ see line 1\n"},
        {"function f(x) =\n", "my.rv:1:16: error: the end of the line, expected a value\n"
                              "    1 | function f(x) =\n"
                              "      |                ^\n"},
        {"function f(x)\n"
         "  y = 2.x\n",
         "my.rv:1:1: error: the function \"f\" returns nothing; end it with return ..\n"
         "    1 | function f(x)\n"
         "      | ^~~~~~~~~~~~~\n"},
        {"function f(x)\n"
         "  y = 2 x\n"
         "  return y\n",
         "my.rv:2:9: error: \"x\", expected an operator: a product is written 2.x\n"
         "    2 |   y = 2 x\n"
         "      |         ^\n"},
        {"function f(x)\n"
         "  return\n",
         "my.rv:2:9: error: the end of the line, expected a value\n"
         "    2 |   return\n"
         "      |         ^\n"},
        {"function f(x)\n"
         "  return y\n",
         "my.rv:2:10: error: \"y\" is not defined above\n"
         "    2 |   return y\n"
         "      |          ^\n"},
        {"function f(x) = f(x)\n",
         "my.rv:1:17: error: \"f\" calls itself; loops are written for t from 1 to 3\n"
         "    1 | function f(x) = f(x)\n"
         "      |                 ^\n"},
        {"function f(x)\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = x\n",
         "my.rv:1:1: error: the function \"f\" returns nothing; end it with return ..\n"
         "    1 | function f(x)\n"
         "      | ^~~~~~~~~~~~~\n"
         "my.rv:1:14: error: expected a body below: lines that are indented more\n"
         "    1 | function f(x)\n"
         "      |              ^\n"},
        {"function f(x) = x @ x\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = f(x)\n",
         "my.rv:1:17: error: matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"x\" [2,4]); "
         "transpose or reshape one of them\n"
         "    1 | function f(x) = x @ x\n"
         "      |                 ^~~~~\n"},
        {"function f(a, b) = a + b\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = f(x)\n"
         "  z = f(x, b=x)\n",
         "my.rv:4:7: error: f takes 2 values\n"
         "    4 |   y = f(x)\n"
         "      |       ^~~~\n"
         "my.rv:5:12: error: f has no option \"b\"\n"
         "    5 |   z = f(x, b=x)\n"
         "      |            ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = sigmod(x)\n"
         "  z = sigmod(y)\n",
         "my.rv:3:7: error: there is no op or function \"sigmod\"\n"
         "    3 |   y = sigmod(x)\n"
         "      |       ^~~~~~ did you mean \"sigmoid\"?\n"},
    });
}

TEST(Messages, Return)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  return x\n",
         "my.rv:3:3: error: return is only allowed in a function\n"
         "    3 |   return x\n"
         "      |   ^~~~~~~~\n"},
        {"function f(x)\n"
         "  return x +\n",
         "my.rv:2:13: error: the end of the line, expected a value\n"
         "    2 |   return x +\n"
         "      |             ^\n"},
        {"function f(x)\n"
         "  return reshape(x, shape=[3])\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = f(x)\n",
         "my.rv:2:10: error: reshape: 8 elements do not fill [3] (x \"x\" [2,4]); keep their "
         "number\n"
         "    2 |   return reshape(x, shape=[3])\n"
         "      |          ^~~~~~~~~~~~~~~~~~~~~\n"},
    });
}

TEST(Messages, Several)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  a = x +\n"
         "  b = a + 1\n"
         "  c = zz\n"
         "  d = zz + b\n"
         "  for t 1 to 2\n"
         "    e[t] = qq\n"
         "  f = e[1] + c\n"
         "  parameter P[3 Q[2]\n"
         "  i = P + x\n"
         "model n\n"
         "  y = tann(3)\n",
         "my.rv:3:10: error: the end of the line, expected a value\n"
         "    3 |   a = x +\n"
         "      |          ^\n"
         "my.rv:5:7: error: \"zz\" is not defined above\n"
         "    5 |   c = zz\n"
         "      |       ^~ a parameter has a shape: zz[3,4]\n"
         "my.rv:7:9: error: \"1\", expected \"from\", as in: for t from 1 to 3\n"
         "    7 |   for t 1 to 2\n"
         "      |         ^\n"
         "my.rv:8:12: error: \"qq\" is not defined above\n"
         "    8 |     e[t] = qq\n"
         "      |            ^~ a parameter has a shape: qq[3,4]\n"
         "my.rv:10:17: error: \"Q\", expected an operator: a product is written 2.x\n"
         "   10 |   parameter P[3 Q[2]\n"
         "      |                 ^\n"
         "my.rv:13:7: error: there is no op or function \"tann\"\n"
         "   13 |   y = tann(3)\n"
         "      |       ^~~~ did you mean \"tanh\"?\n"},
        {"function f(x = 1\n"
         "cell c)\n"
         "  state h\n"
         "  h' = x\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = f(x)\n"
         "  h = unroll c(x) for 2 steps\n",
         "my.rv:1:14: error: \"=\", expected \",\" or \")\"\n"
         "    1 | function f(x = 1\n"
         "      |              ^\n"
         "my.rv:2:7: error: \")\", expected the end of the line or an operator\n"
         "    2 | cell c)\n"
         "      |       ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  a = x @ x\n"
         "  b = x @ x[0]\n"
         "  c = a + b\n"
         "  d = x + x[:, 0:3]\n",
         "my.rv:3:7: error: matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"x\" [2,4]); "
         "transpose or reshape one of them\n"
         "    3 |   a = x @ x\n"
         "      |       ^~~~~\n"
         "my.rv:4:7: error: matmul: takes matrices, rank 2 or more (a \"x\" [2,4], b reshape#2 "
         "[4]); reshape a vector to [n,1] or [1,n]\n"
         "    4 |   b = x @ x[0]\n"
         "      |       ^~~~~~~~\n"
         "my.rv:6:7: error: add: shapes do not broadcast: from the last axis on, sizes must be "
         "equal or 1 (x \"x\" [2,4], slice#3 [2,3]); reshape one of them\n"
         "    6 |   d = x + x[:, 0:3]\n"
         "      |       ^~~~~~~~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W,, U\n"
         "  h' = W h + U x\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  h = unroll c(x) for 2 steps\n",
         "my.rv:3:9: error: \",\", expected a name\n"
         "    3 |   map W,, U\n"
         "      |         ^\n"},
    });
}

TEST(Messages, Places)
{
    expect_messages({
        {"model m\r\n"
         "  input x[2, 4]\r\n"
         "  y = z\r\n"
         "  w = (x\r\n",
         "my.rv:3:7: error: \"z\" is not defined above\n"
         "    3 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"
         "my.rv:4:9: error: the end of the line, expected \")\" or an operator\n"
         "    4 |   w = (x\n"
         "      |         ^\n"},
        {"model m\n"
         "\tinput x[2, 4]\n"
         "\ty\t= x + z\n",
         "my.rv:3:10: error: \"z\" is not defined above\n"
         "    3 | \ty\t= x + z\n"
         "      | \t \t      ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input größe[2, 4]\n"
         "  y = größe + grösse + größ\n",
         "my.rv:3:15: error: \"grösse\" is not defined above\n"
         "    3 |   y = größe + grösse + größ\n"
         "      |               ^~~~~~ did you mean \"größe\"?\n"
         "my.rv:3:24: error: \"größ\" is not defined above\n"
         "    3 |   y = größe + grösse + größ\n"
         "      |                        ^~~~ did you mean \"größe\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = z",
         "my.rv:3:7: error: \"z\" is not defined above\n"
         "    3 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x "
         "+ x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + zz + x "
         "+ x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x "
         "+ x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x\n",
         "my.rv:3:171: error: \"zz\" is not defined above\n"
         "    3 | x + x + x + x + x + x + x + x + x + x + zz + x + x + x + x + x + x + x + x + x + "
         "x + x + x + x + x + x + x + x + x + x +\n"
         "      |                                         ^~ a parameter has a shape: zz[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x +",
         "my.rv:3:10: error: the end of the line, expected a value\n"
         "    3 |   y = x +\n"
         "      |          ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "    y = x\n",
         "my.rv:3:5: error: this line is indented by 4, the first one of its block by 2\n"
         "    3 |     y = x\n"
         "      |     ^\n"},
        {"  model m\n"
         "    y = 1\n",
         "my.rv:1:3: error: this line is indented, but belongs to nothing above\n"
         "    1 |   model m\n"
         "      |   ^~~~~\n"},
        {"x = 3\n", "my.rv:1:1: error: \"x\", expected cell, model, function, derive or include\n"
                    "    1 | x = 3\n"
                    "      | ^\n"},
        {"model m\n", "my.rv:1:8: error: expected a body below: lines that are indented more\n"
                      "    1 | model m\n"
                      "      |        ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = concat(x,\n"
         "    z,\n"
         "    x)\n",
         "my.rv:4:5: error: \"z\" is not defined above\n"
         "    4 |     z,\n"
         "      |     ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = tanh(x\n"
         "model n\n"
         "  z = 1\n",
         "my.rv:3:13: error: the end of the line, expected \",\" or \")\"\n"
         "    3 |   y = tanh(x\n"
         "      |             ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x\033[31m\n",
         "my.rv:3:8: error: this character means nothing here\n"
         "    3 |   y = x\\x1b[31m\n"
         "      |        ^~~~ leave it out\n"},
        {"# a\302\233b\n", "my.rv:1:4: error: the invisible character \\u009b; leave it out\n"
                           "    1 | # a\\u009bb\n"
                           "      |    ^~~~~~\n"},
        {"#\t\316\261 \033\316\261\033\n",
         "my.rv:1:5: error: the invisible character \\x1b; leave it out\n"
         "    1 | #\t\316\261 \\x1b\316\261\\x1b\n"
         "      |  \t  ^~~~\n"},
        {"model m\n"
         "  input \316\261\342\200\256[2]\n",
         "my.rv:2:10: error: the invisible character \\u202e; leave it out\n"
         "    2 |   input \316\261\\u202e[2]\n"
         "      |          ^~~~~~\n"},
        {"# caf\351\n", "my.rv:1:6: error: this is not UTF-8; save the file as UTF-8\n"
                        "    1 | # caf\\xe9\n"
                        "      |      ^~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = \302\240x\n",
         "my.rv:3:7: error: a no-break space; type a plain one\n"
         "    3 |   y = \302\240x\n"
         "      |       ^\n"},
        {"modle m\n"
         "  x = 1\n"
         "  y = x\n"
         "model n\n"
         "  y = q\n",
         "my.rv:1:1: error: \"modle\", expected cell, model, function, derive or include\n"
         "    1 | modle m\n"
         "      | ^~~~~ did you mean \"model\"?\n"
         "my.rv:5:7: error: \"q\" is not defined above\n"
         "    5 |   y = q\n"
         "      |       ^ a parameter has a shape: q[3,4]\n"},
        {"cell c\n"
         "  stat h\n"
         "  map W\n"
         "  h' = W h\n",
         "my.rv:2:9: error: the end of the line, expected \"=\" and a value; declarations start "
         "with state, map, bias, parameter, input, ..\n"
         "    2 |   stat h\n"
         "      |         ^ did you mean \"state\"?\n"},
        {"﻿model m\n"
         "  y = z\n",
         "my.rv:2:7: error: \"z\" is not defined above\n"
         "    2 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x\302\240+ x\n",
         "my.rv:3:8: error: a no-break space; type a plain one\n"
         "    3 |   y = x\302\240+ x\n"
         "      |        ^\n"},
        {"model m\n"
         "  y = \"a\tb\" + $\n",
         "my.rv:2:15: error: this character means nothing here\n"
         "    2 |   y = \"a\tb\" + $\n"
         "      |         \t     ^ leave it out\n"},
    });
}

} // namespace
